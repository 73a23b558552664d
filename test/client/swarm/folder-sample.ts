// A folder as a sharer offers it: its tree, its pieces and their manifest.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashPiece } from '../../../src/client/hashing/piece-hash.ts'
import { buildFolderManifest } from '../../../src/common/manifest.ts'
import { layOut } from '../../../src/common/tree/layout.ts'
import { comparePaths } from '../../../src/common/tree/paths.ts'
import { encodeTree, type TreeEntry } from '../../../src/common/tree/tree.ts'
import type { Sample } from './one-download.ts'

/** What is in it by path: bytes of a file, `undefined` for an empty folder. Names that end in .sh may be run. */
export type Contents = Readonly<Record<string, Buffer | undefined>>

export const mtimeSeconds = 1_600_000_000

export function entriesOf(contents: Contents): TreeEntry[] {
  return Object.entries(contents)
    .map(([path, bytes]): TreeEntry => {
      if (bytes === undefined) return { path, kind: 'folder' }
      const kind = path.endsWith('.sh') ? 'executable' : 'file'
      return { path, kind, sizeBytes: bytes.length, mtimeSeconds }
    })
    .toSorted((one, other) => comparePaths(one.path, other.path))
}

/** `tree`: instead of that of the entries, as long as it, for a sharer that lies. */
export function folderSample(
  contents: Contents,
  entries = entriesOf(contents),
  tree = encodeTree(entries),
): Sample {
  const layout = layOut(entries, tree.length)
  if (layout === undefined) throw new Error('too many pieces')
  const parts = [tree]
  for (let index = layout.treePieces; index < layout.lengths.length; index++)
    for (const { entry, offset, length } of layout.segmentsOf(index))
      parts.push((contents[entries[entry]?.path ?? ''] ?? Buffer.alloc(0)).subarray(offset, offset + length))
  const content = Buffer.concat(parts)
  const hashes: Buffer[] = []
  let at = 0
  for (const length of layout.lengths) hashes.push(hashPiece(content.subarray(at, (at += length))))
  const manifest = buildFolderManifest({
    sizeBytes: content.length - tree.length,
    files: entries.filter(({ kind }) => kind !== 'folder').length,
    treeBytes: tree.length,
    lengths: layout.lengths,
    hashes: Buffer.concat(hashes),
  })
  return { content, manifest }
}

/** What is below a folder: bytes of files, `undefined` for empty folders. */
export function foundIn(folder: string, below = ''): Record<string, Buffer | undefined> {
  const found: Record<string, Buffer | undefined> = {}
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (!entry.isDirectory()) found[path] = readFileSync(join(folder, path))
    else if (readdirSync(join(folder, path)).length === 0) found[path] = undefined
    else Object.assign(found, foundIn(folder, path))
  }
  return found
}

/** To compare contents by: comparing megabytes of a buffer takes seconds. */
export function textsOf(contents: Contents): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(contents).map(([path, bytes]) => [path, bytes?.toString('latin1')]),
  )
}
