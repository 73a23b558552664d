// Finds out what is left of a folder that was shared before. Files with the stamps of then are what they were; of the
// others the pieces that they touch are hashed.

import type { Manifest } from '../../common/manifest.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import type { FolderPieces } from '../folder/folder-pieces.ts'
import {
  areSame,
  copyStamp,
  emptyStamps,
  haveSameStamp,
  sizeIn,
  type FolderStamps,
} from '../folder/folder-stamps.ts'
import { inSlices } from '../folder/in-slices.ts'
import type { NamedPath } from './local-content.ts'
import { wrongPieces } from './folder-hashing.ts'
import type { FolderParts, KnownFolder } from './known-folder.ts'

interface Before {
  readonly share: NamedPath
  readonly manifest: Manifest
  readonly pieces: FolderPieces
  /** Of then; undefined when they are not known, and all has to be hashed. */
  readonly kept: FolderStamps | undefined
  readonly now: FolderStamps
}

/**
 * The folder as it can be served, with the stamps that hold from now on: `kept` itself when nothing changed. Undefined
 * when nothing of its files is left. Refuses, and rejects with a failure, when it cannot be read.
 */
export async function verifyAgain(
  before: Before,
  { hashing, hashes }: Pick<FolderParts, 'hashing' | 'hashes'>,
): Promise<Answer<KnownFolder | undefined>> {
  const { share, manifest, pieces, kept, now } = before
  const { layout } = pieces.tree
  const differing = await inSlices(differingEntries(before))
  if (kept !== undefined && differing.size === 0)
    return accept({ manifest, pieces, stamps: kept, changed: [], lostPieces: [] })
  const touched = await inSlices(piecesWith(pieces, differing))
  const [there, lost] = partition(touched, (piece) => hasAllFiles(pieces, piece, now))
  const bytes = there.reduce((all, piece) => all + (layout.lengths[piece] ?? 0), 0)
  const wrong = await hashing.inTurn(share, bytes, (turn) =>
    wrongPieces(pieces, manifest, now, there, hashes, turn),
  )
  if (!wrong.ok) return wrong
  const lostPieces = [...lost, ...wrong.value]
  const files = manifest.pieceCount - layout.treePieces
  if (files > 0 && lostPieces.length === files) return accept(undefined)
  return accept({ manifest, pieces, lostPieces, ...settle(before, differing, lostPieces) })
}

/** Files compared in one go, which takes a millisecond. */
const filesAtOnce = 1000

/** Files with another stamp than then. */
function* differingEntries({ pieces, kept, now }: Before): Generator<void, Set<number>> {
  const differing = new Set<number>()
  if (kept !== undefined && areSame(kept, now)) return differing
  for (const [entry, { kind }] of pieces.tree.entries.entries()) {
    if (entry % filesAtOnce === filesAtOnce - 1) yield
    if (kind !== 'folder' && (kept === undefined || !haveSameStamp(kept, entry, now))) differing.add(entry)
  }
  return differing
}

/** The pieces that any of these files touches. */
function* piecesWith(pieces: FolderPieces, entries: ReadonlySet<number>): Generator<void, number[]> {
  const { treePieces, lengths } = pieces.tree.layout
  const found: number[] = []
  for (let piece = treePieces; piece < lengths.length; piece++) {
    if (pieces.segmentsOf(piece).some(({ entry }) => entries.has(entry))) found.push(piece)
    yield
  }
  return found
}

function hasAllFiles(pieces: FolderPieces, piece: number, now: FolderStamps): boolean {
  return pieces.segmentsOf(piece).every(({ entry, offset, length }) => sizeIn(now, entry) >= offset + length)
}

/**
 * Which of the differing files are something else now: those that touch a piece which was lost, or have another size.
 * They keep the stamps of then, so that they are found changed again; the others get those of now.
 */
function settle(
  { pieces, kept, now }: Before,
  differing: ReadonlySet<number>,
  lostPieces: readonly number[],
): Pick<KnownFolder, 'changed' | 'stamps'> {
  const { entries } = pieces.tree
  const suspects = new Set(lostPieces.flatMap((piece) => pieces.segmentsOf(piece)).map(({ entry }) => entry))
  const stamps = kept?.slice() ?? emptyStamps(entries.length)
  const changed: number[] = []
  for (const entry of differing) {
    const file = entries[entry]
    if (file === undefined || file.kind === 'folder') continue
    if (suspects.has(entry) || sizeIn(now, entry) !== file.sizeBytes) changed.push(entry)
    else copyStamp(now, stamps, entry)
  }
  return { changed, stamps }
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  const [first, second]: [T[], T[]] = [[], []]
  for (const one of all) (isFirst(one) ? first : second).push(one)
  return [first, second]
}
