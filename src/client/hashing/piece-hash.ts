// Computes and verifies the two hashes of a piece, most of the work of a fast transfer. piece-hash.c computes
// both at once, in little more time than one; those of two pieces together in less than one and a half of that; and with
// AVX-512 those of sixteen side by side in less than half of the time. Where the build could not compile it, or the
// processor lacks the instructions, Node's functions compute one after the other.

import { hash } from 'node:crypto'
import { compiledFile, loadCompiled } from '../../common/compiled-file.ts'
import { hashBytes, hashesOfPiece, type Manifest } from '../../common/manifest.ts'

/** Writes the SHA-1 and the SHA-256 of `piece` into `hashes`, 52 bytes. */
export type HashBoth = (piece: Uint8Array, hashes: Uint8Array) => void
/** Likewise for each of 1 to 16 pieces. */
export type HashSideBySide = (pieces: readonly Uint8Array[], hashes: Uint8Array) => void

/** What hashes several pieces at once. */
export interface SideBySide {
  readonly hash: HashSideBySide
  /** For how many pieces it is made. */
  readonly most: number
  /** From so many pieces on, it is faster than hashing them one by one. */
  readonly worth: number
}

const hashBoth = loadHashBoth(compiledFile('piece-hash.node')) ?? hashOneByOne
const sideBySide = loadSideBySide(compiledFile('piece-hash.node'))

/** How many pieces to pass to `hashPieces`, at most. */
export const piecesAtOnce = sideBySide?.most ?? 1

/** From so many pieces on, it is faster to hash them at once than one by one. Infinity where it never is. */
export const worthAtOnce = sideBySide?.worth ?? Infinity

/** The hashes of a piece as in the manifest: SHA-1, then SHA-256, 52 bytes. */
export function hashPiece(piece: Uint8Array): Buffer {
  const hashes = Buffer.allocUnsafe(hashBytes)
  hashBoth(piece, hashes)
  return hashes
}

/** The hashes of 1 to `piecesAtOnce` pieces, of any lengths, in their order. */
export function hashPieces(pieces: readonly Uint8Array[]): Buffer {
  const hashes = Buffer.allocUnsafe(pieces.length * hashBytes)
  if (sideBySide !== undefined && pieces.length > 1) sideBySide.hash(pieces, hashes)
  else for (const [at, piece] of pieces.entries()) hashBoth(piece, hashes.subarray(at * hashBytes))
  return hashes
}

/** Whether these bytes are piece `index`: both hashes must match. */
export function verifyPiece(manifest: Manifest, index: number, piece: Uint8Array): boolean {
  return hashPiece(piece).equals(hashesOfPiece(manifest, index))
}

/** The fallback with Node's functions, which read `piece` twice. */
export function hashOneByOne(piece: Uint8Array, hashes: Uint8Array): void {
  hashes.set(hash('sha1', piece, 'buffer'))
  hashes.set(hash('sha256', piece, 'buffer'), 20)
}

interface Compiled {
  readonly hashPiece: HashBoth
  readonly hashPieces: HashSideBySide
  readonly piecesAtOnce: number
  readonly worthAtOnce: number
}

/** Loads the compiled function at `path`; undefined when missing, wrong, or unsupported by the processor. */
export function loadHashBoth(path: string): HashBoth | undefined {
  const { hashPiece: one } = loadCompiled<Compiled>(path)
  return one !== undefined && isRight((pieces, hashes) => one(pieces[0] ?? Buffer.alloc(0), hashes), 1)
    ? one
    : undefined
}

/** Likewise that for several pieces. */
export function loadSideBySide(path: string): SideBySide | undefined {
  const {
    hashPieces: hash,
    piecesAtOnce: most = 1,
    worthAtOnce: worth = Infinity,
  } = loadCompiled<Compiled>(path)
  // Three are hashed in another way than what it is made for: two at a time, and one alone.
  return hash !== undefined && isRight(hash, 3) && isRight(hash, most) ? { hash, most, worth } : undefined
}

/**
 * Compares a compiled function with Node's before it is used, since a miscompiled one could reject good
 * pieces and accept bad ones. The two lengths cover whole blocks and both kinds of padding.
 */
function isRight(hash: HashSideBySide, count: number): boolean {
  return [119, 120].every((length) => {
    const pieces = Array.from({ length: count }, (_, at) => Buffer.alloc(length + 64 * at, `piece ${at}`))
    const [found, expected] = [Buffer.alloc(count * hashBytes), Buffer.alloc(count * hashBytes)]
    hash(pieces, found)
    for (const [at, piece] of pieces.entries()) hashOneByOne(piece, expected.subarray(at * hashBytes))
    return found.equals(expected)
  })
}
