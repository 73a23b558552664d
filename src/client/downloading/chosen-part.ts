// Which part of a folder a download is of, as soon as its tree is here: what is chosen, and which pieces that needs.

import type { Bitfield } from '../../common/bitfield.ts'
import { lengthOfPiece, offsetOfPiece } from '../../common/manifest.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import { inSlices } from '../folder/in-slices.ts'
import { piecesOf, select, type Selection } from '../folder/selection.ts'
import type { FolderContents } from '../folder/folder-contents.ts'
import type { PieceStore } from './piece-store.ts'

export interface ChosenPart {
  readonly selection: Selection
  readonly pieces: Bitfield
}

/** Refuses when there is nothing of that path or pattern in the folder. Rejects with the signal's reason. */
export async function choosePart(
  { entries, layout }: FolderContents,
  { name, within }: { readonly name: string; readonly within: string },
  signal: AbortSignal,
): Promise<Answer<ChosenPart>> {
  const selected = await inSlices(select(entries, within, name), signal)
  if (!selected.ok) return selected
  const pieces = await inSlices(piecesOf(selected.value, layout), signal)
  return accept({ selection: selected.value, pieces })
}

/** Puts the pieces of a tree that is here into the store, where it lacks them. Rejects with a `file` failure. */
export async function storeTree(store: PieceStore, tree: Buffer): Promise<void> {
  const { manifest } = store
  for (let index = 0; index < manifest.pieceCount; index++) {
    const offset = offsetOfPiece(manifest, index)
    if (offset >= tree.length) return
    if (store.have.has(index)) continue
    const piece = store.takeBuffer()
    try {
      piece.bytes.set(tree.subarray(offset, offset + lengthOfPiece(manifest, index)))
      await store.receive(index, piece)
    } finally {
      piece.release()
    }
  }
}
