// What a downloading client that is killed wants: a file, or a part of a folder.

import { randomBytes } from 'node:crypto'
import { linkSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeFile, type Arena } from '../../bench/arena.ts'
import { pieceBytes } from '../../src/common/limits.ts'

export type WantedKind = 'file' | 'part'

export interface Wanted {
  /** The path of what is shared. */
  readonly shared: string
  /** What is asked for in the group. */
  readonly asked: string
  /** The path of what the copy is to be like. */
  readonly original: string
}

const MiB = 1024 * 1024
const largeBytes = 8 * pieceBytes - 5
const smallBytes = 6000
/** So many small files are as much as one large one. */
const smallForEachLarge = 100

/** `sizeMiB`: of what is asked for. A part is half of the files of its folder, large and small ones. */
export async function makeWanted(
  arena: Arena,
  { kind, sizeMiB }: { readonly kind: WantedKind; readonly sizeMiB: number },
): Promise<Wanted> {
  if (kind === 'file') {
    const shared = await makeFile(arena, 'data.bin', sizeMiB)
    return { shared, asked: 'data.bin', original: shared }
  }
  const shared = join(arena.folder, 'data')
  const original = join(arena.folder, 'chosen')
  const bytesOfOne = largeBytes + smallForEachLarge * smallBytes
  for (let folder = 0; folder * bytesOfOne < sizeMiB * MiB; folder++)
    makeFolder(`in ${folder}`, { shared, original })
  return { shared, asked: 'data/**/*.chosen', original }
}

/** The chosen files lie among the others, so that they share pieces with them. */
function makeFolder(name: string, { shared, original }: Pick<Wanted, 'shared' | 'original'>): void {
  mkdirSync(join(shared, name), { recursive: true })
  mkdirSync(join(original, name), { recursive: true })
  for (const ending of ['chosen', 'other'])
    for (let file = 0; file <= smallForEachLarge; file++) {
      const path = join(name, `${file}.${ending}`)
      writeFileSync(join(shared, path), randomBytes(file === 0 ? largeBytes : smallBytes))
      if (ending === 'chosen') linkSync(join(shared, path), join(original, path))
    }
}
