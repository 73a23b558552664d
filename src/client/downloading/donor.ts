// Pieces that are here already, in another file or folder: an earlier version, or one that the person names. Each that the
// new content has, too, is copied instead of fetched. Its hashes say which, and decide once more when it is stored.

import { hashesOfPiece } from '../../common/manifest.ts'
import type { Answer } from '../../common/refusal.ts'
import type { LocalContent } from '../sharing/local-content.ts'
import type { PieceStore } from './piece-store.ts'

/**
 * Takes from the file or folder at this path what the store lacks. Resolves to a sentence that says how much that was, or
 * why it was not more. Rejects with the signal's reason, or with a `file` failure when the store cannot be written to.
 */
export async function takeFrom(
  path: string,
  contentAt: (path: string) => Promise<Answer<LocalContent>>,
  store: PieceStore,
  signal: AbortSignal,
): Promise<string> {
  const content = await contentAt(path)
  signal.throwIfAborted()
  if (!content.ok) return `nothing is taken from ${path}: ${content.refusal.sentence}`
  const taken = await takeSame(content.value, store, signal)
  return `${taken} of ${store.wantedCount} pieces of ${store.part.destination} are taken from ${path}`
}

async function takeSame(content: LocalContent, store: PieceStore, signal: AbortSignal): Promise<number> {
  const { manifest } = content
  const places = new Map<string, number>()
  for (let place = 0; place < manifest.pieceCount; place++)
    places.set(hashesOfPiece(manifest, place).toString('latin1'), place)
  const nothing = (): void => undefined
  const source = content.serve({ onChanged: nothing, onGone: nothing, onAway: nothing })
  let taken = 0
  try {
    for (let index = 0; index < store.manifest.pieceCount; index++) {
      const place = places.get(hashesOfPiece(store.manifest, index).toString('latin1'))
      if (place === undefined || store.have.has(index) || store.wanted?.has(index) === false) continue
      signal.throwIfAborted()
      const piece = store.takeBuffer()
      try {
        // It may have been written to since it was hashed: what cannot be read as it was is fetched.
        const read = await source.read(place, piece.bytes)
        if (read.ok && (await store.receive(index, piece))) taken++
      } finally {
        piece.release()
      }
    }
    return taken
  } finally {
    source.close()
  }
}
