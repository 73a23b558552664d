// Pieces that are here already, in another file: an earlier version, or one that the person names. Each that the new
// content has, too, is copied instead of fetched. Its hashes say which, and decide once more when it is stored.

import { open, stat } from 'node:fs/promises'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { hashBytes, hashesOfPiece } from '../../common/manifest.ts'
import { pieceLength, pieceOffset } from '../../common/pieces.ts'
import type { HashPool } from '../workers/hash-pool.ts'
import type { PieceStore } from './piece-store.ts'

/**
 * Takes from the file at this path what the store lacks. Resolves to a sentence that says how much that was, or why it was
 * not more. Rejects with the signal's reason, or with a `file` failure when the store cannot be written to.
 */
export async function takeFromFile(
  path: string,
  store: PieceStore,
  hashes: HashPool,
  signal: AbortSignal,
): Promise<string> {
  const opened = await openDonor(path, hashes, signal)
  if ('trouble' in opened) return `nothing is taken from ${path}: ${opened.trouble}`
  try {
    const { taken, trouble } = await takeFrom(opened, store, signal)
    const counted = `${taken} of ${store.have.length} pieces of ${store.part.destination} are taken from ${path}`
    return trouble === undefined ? counted : `${counted}; then it could not be read: ${trouble}`
  } finally {
    await opened.close()
  }
}

interface Donor {
  /** 52 bytes for each of its pieces, in order. */
  readonly hashes: Buffer
  /** Reads a piece into the start of the buffer. Rejects with the system's error, or a `file` failure. */
  read(index: number, buffer: Buffer): Promise<void>
  close(): Promise<void>
}

async function openDonor(
  path: string,
  hashes: HashPool,
  signal: AbortSignal,
): Promise<Donor | { readonly trouble: string }> {
  try {
    const there = await stat(path)
    if (!there.isFile()) return { trouble: 'it is no regular file' }
    const found = await hashes.hashFile(path, there.size, { signal })
    const file = await open(path, 'r')
    const read = async (index: number, buffer: Buffer): Promise<void> => {
      const length = pieceLength(there.size, index)
      const { bytesRead } = await file.read(buffer, 0, length, pieceOffset(index))
      if (bytesRead !== length) throw new Failure('file', 'it became shorter')
    }
    return { hashes: found, read, close: () => file.close() }
  } catch (error) {
    return { trouble: troubleOf(error, signal) }
  }
}

async function takeFrom(
  donor: Donor,
  store: PieceStore,
  signal: AbortSignal,
): Promise<{ taken: number; trouble?: string }> {
  const places = new Map<string, number>()
  for (let at = 0; at < donor.hashes.length; at += hashBytes)
    places.set(donor.hashes.toString('latin1', at, at + hashBytes), at / hashBytes)
  let taken = 0
  for (let index = 0; index < store.manifest.pieceCount; index++) {
    const place = places.get(hashesOfPiece(store.manifest, index).toString('latin1'))
    if (place === undefined || store.have.has(index)) continue
    signal.throwIfAborted()
    const piece = store.takeBuffer()
    try {
      const trouble = await donor.read(place, piece.bytes).then(
        () => undefined,
        (error: unknown) => troubleOf(error, signal),
      )
      if (trouble !== undefined) return { taken, trouble }
      // It may have been written to since it was hashed.
      if (await store.receive(index, piece)) taken++
    } finally {
      piece.release()
    }
  }
  return { taken }
}

/** What a person can read of a failure; throws what is none, and after an abort. */
function troubleOf(error: unknown, signal: AbortSignal): string {
  signal.throwIfAborted()
  if (error instanceof Failure || systemCode(error) !== undefined) return sentenceOf(error)
  throw error
}
