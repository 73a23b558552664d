// Changed trees and manifests of folders: each is read as one and only one, or refused with a sentence, quickly.

import { buildFolderManifest, lengthOfPiece, parseManifest } from '../../../src/common/manifest.ts'
import { layOut } from '../../../src/common/tree/layout.ts'
import { encodeTree, parseTree, type TreeEntry } from '../../../src/common/tree/tree.ts'

const file = (path: string, sizeBytes = 100, mtimeSeconds = 1_700_000_000): TreeEntry => ({
  path,
  kind: path.endsWith('.sh') ? 'executable' : 'file',
  sizeBytes,
  mtimeSeconds,
})

const trees: readonly (readonly TreeEntry[])[] = [
  [],
  [file('a')],
  [{ path: 'empty', kind: 'folder' }],
  ['a/b/c', 'a/b/d', 'a/c.sh', 'a-b', 'käse/日本'].map((path) => file(path)),
  [file('large', 3_000_000), file('small', 1), file('zero', 0, -5)],
  Array.from({ length: 60 }, (_, index) =>
    file(`deep/${'d/'.repeat(index % 20)}f${String(index).padStart(2, '0')}`),
  ).toSorted((one, other) => (one.path.replaceAll('/', '\0') < other.path.replaceAll('/', '\0') ? -1 : 1)),
]

/** What a mistake that is planted breaks on. */
const plantedByte = 0xfe

export interface Draw {
  /** A whole number below `count`. */
  below(count: number): number
}

export class TreeFuzzer {
  readonly #draw: Draw
  readonly #plant: boolean
  readonly #trees = trees.map((entries) => encodeTree(entries))
  readonly #manifests = trees.map((entries, index) => manifestOf(entries, this.#trees[index]?.length ?? 0))

  /** `plant`: with a mistake in it, which has to be found. */
  constructor(draw: Draw, plant: boolean) {
    this.#draw = draw
    this.#plant = plant
  }

  /** Another input: a tree or a manifest that is changed in a few places. */
  next(): Buffer {
    let bytes = this.#any(this.#draw.below(2) === 0 ? this.#trees : this.#manifests)
    for (let changes = this.#draw.below(5); changes > 0; changes--) bytes = this.#change(bytes)
    return bytes
  }

  /** What is wrong with how an input is read; undefined when nothing is. */
  bugIn(bytes: Buffer): string | undefined {
    try {
      return this.#plant && bytes.includes(plantedByte) ? 'the mistake that was planted' : readBoth(bytes)
    } catch (error) {
      return String(error)
    }
  }

  #any<T>(all: readonly T[]): T {
    const one = all[this.#draw.below(all.length)]
    if (one === undefined) throw new Error('nothing to choose from')
    return one
  }

  #change(bytes: Buffer): Buffer {
    const at = this.#draw.below(bytes.length + 1)
    const other = this.#any(this.#trees)
    switch (this.#draw.below(5)) {
      case 0:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + this.#draw.below(9))])
      case 1:
        return Buffer.concat([bytes.subarray(0, at), Buffer.of(this.#draw.below(256)), bytes.subarray(at)])
      case 2:
        return Buffer.concat([bytes.subarray(0, at), other.subarray(this.#draw.below(other.length))])
      case 3:
        return Buffer.concat([bytes.subarray(0, at), bytes.subarray(this.#draw.below(bytes.length + 1))])
      default: {
        const changed = Buffer.from(bytes)
        if (at < changed.length) changed[at] = this.#draw.below(256)
        return changed
      }
    }
  }
}

function manifestOf(entries: readonly TreeEntry[], treeBytes: number): Buffer {
  const layout = layOut(entries, treeBytes)
  if (layout === undefined) throw new Error('too many pieces')
  const { lengths } = layout
  const sizes = entries.map((entry) => (entry.kind === 'folder' ? 0 : entry.sizeBytes))
  return buildFolderManifest({
    sizeBytes: sizes.reduce((sum, size) => sum + size, 0),
    files: entries.filter(({ kind }) => kind !== 'folder').length,
    treeBytes,
    lengths,
    hashes: Buffer.alloc(lengths.length * 52, 7),
  }).bytes
}

function readBoth(bytes: Buffer): string | undefined {
  const manifest = parseManifest(bytes)
  if (manifest !== undefined) {
    for (let index = 0; index < manifest.pieceCount; index++)
      if (!(lengthOfPiece(manifest, index) > 0)) return `piece ${index} of a manifest is empty`
  }
  const entries = parseTree(bytes)
  if ('problem' in entries) return entries.problem === '' ? 'a refusal without a sentence' : undefined
  if (!encodeTree(entries).equals(bytes)) return 'a tree with two spellings'
  for (const { path } of entries)
    if (path.split('/').some((name) => name === '' || name === '.' || name === '..'))
      return `the path ${path} was taken`
  layOut(entries, bytes.length)
  return undefined
}
