// A part of a folder: one of its files, all that is below one of the folders in it, or what a pattern means.

import { Bitfield } from '../../common/bitfield.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { Layout } from '../../common/tree/layout.ts'
import type { TreeEntry } from '../../common/tree/tree.ts'
import { fixedPartOf, matcherOf } from '../glob.ts'

export interface Selection {
  /** For each entry of the tree whether it is chosen: 1 or 0. */
  readonly chosen: Uint8Array
  /** How many characters of the path of each chosen entry are above what was asked for. */
  readonly above: number
  /** The file or folder that is chosen, or that has all that is; "" for the whole. */
  readonly path: string
  /** It is one file, named by its path. */
  readonly isFile: boolean
  /** How many entries are chosen: files, and empty folders. */
  readonly count: number
  /** Of all chosen files together. */
  readonly sizeBytes: number
}

/** Entries or pieces that are looked at in one go, which takes well below a millisecond. */
const lookedAtOnce = 1000

/**
 * What `within` means in a folder with these entries: a path of a file or folder in it, or else a pattern, in which `*`
 * stands for any characters but "/", and a name of `**` for any folders. Refuses when that is nothing; `folder` is its
 * name. For `inSlices`.
 */
export function* select(
  entries: readonly TreeEntry[],
  within: string,
  folder: string,
): Generator<void, Answer<Selection>> {
  const exact = yield* chooseWhere(entries, (path) => path === within)
  const file = exact.first
  if (file !== undefined && file.kind !== 'folder')
    return accept({ ...exact, path: within, above: within.lastIndexOf('/') + 1, isFile: true })
  const below = `${within}/`
  const inFolder = yield* chooseWhere(entries, (path) => path === within || path.startsWith(below))
  // An empty folder is itself what is chosen.
  if (inFolder.count > 0) return accept({ ...inFolder, path: within, above: below.length, isFile: false })
  const matcher = matcherOf(within)
  if (!matcher.ok) return matcher
  const fixed = fixedPartOf(within)
  const above = fixed === '' ? '' : `${fixed}/`
  const isMeant = (path: string): boolean => path.startsWith(above) && matcher.value(path)
  const matching = yield* chooseWhere(entries, isMeant)
  if (matching.count === 0) return refuse('no-such-file', `there is nothing like ${within} in ${folder}`)
  return accept({ ...matching, path: fixed, above: above.length, isFile: false })
}

interface Chosen {
  readonly chosen: Uint8Array
  readonly count: number
  readonly sizeBytes: number
  readonly first: TreeEntry | undefined
}

function* chooseWhere(
  entries: readonly TreeEntry[],
  isMeant: (path: string) => boolean,
): Generator<void, Chosen> {
  const chosen = new Uint8Array(entries.length)
  let [count, sizeBytes] = [0, 0]
  let first: TreeEntry | undefined
  for (const [index, entry] of entries.entries()) {
    if (index % lookedAtOnce === lookedAtOnce - 1) yield
    if (!isMeant(entry.path)) continue
    chosen[index] = 1
    count++
    first ??= entry
    if (entry.kind !== 'folder') sizeBytes += entry.sizeBytes
  }
  return { chosen, count, sizeBytes, first }
}

/** The pieces that hold the tree, or any part of a chosen file. For `inSlices`. */
export function* piecesOf({ chosen }: Pick<Selection, 'chosen'>, layout: Layout): Generator<void, Bitfield> {
  const { treePieces, lengths } = layout
  const pieces = new Bitfield(lengths.length)
  for (let index = 0; index < lengths.length; index++) {
    if (index % lookedAtOnce === lookedAtOnce - 1) yield
    if (index < treePieces || layout.segmentsOf(index).some(({ entry }) => chosen[entry] === 1))
      pieces.set(index)
  }
  return pieces
}
