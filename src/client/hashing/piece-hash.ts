// The two hashes of a piece. They are most of the work of a fast transfer, and Node has only functions for
// one hash at a time, during which a processor mostly waits. piece-hash.c computes both at once, in little
// more time than one. The build compiles it where it can; elsewhere, and on processors that lack the
// instructions, Node's functions do the same work.

import { hash } from 'node:crypto'
import { createRequire } from 'node:module'
import { hashBytes, hashesOfPiece, type Manifest } from '../../common/manifest.ts'

/** Writes the SHA-1 and the SHA-256 of `piece` into `hashes`, which has 52 bytes. */
export type HashBoth = (piece: Uint8Array, hashes: Uint8Array) => void

// Beside this file, or beside the bundle that it became a part of (scripts/bundle.mjs).
const hashBoth = loadHashBoth('./piece-hash.node') ?? hashOneByOne

/** The hashes of one piece as the manifest has them: SHA-1, then SHA-256; 52 bytes. */
export function hashPiece(piece: Uint8Array): Buffer {
  const hashes = Buffer.allocUnsafe(hashBytes)
  hashBoth(piece, hashes)
  return hashes
}

/** Whether these bytes are piece `index`: both hashes must match. */
export function verifyPiece(manifest: Manifest, index: number, piece: Uint8Array): boolean {
  return hashPiece(piece).equals(hashesOfPiece(manifest, index))
}

/** What Node offers: `piece` is gone through twice. */
export function hashOneByOne(piece: Uint8Array, hashes: Uint8Array): void {
  hashes.set(hash('sha1', piece, 'buffer'))
  hashes.set(hash('sha256', piece, 'buffer'), 20)
}

/** The compiled function at `path`; undefined where there is none, or none that this processor can run. */
export function loadHashBoth(path: string): HashBoth | undefined {
  let compiled: { readonly hashPiece?: HashBoth }
  try {
    compiled = createRequire(import.meta.url)(path) as typeof compiled
  } catch {
    return undefined
  }
  return compiled.hashPiece !== undefined && isRight(compiled.hashPiece) ? compiled.hashPiece : undefined
}

/**
 * Held against Node's before it is used: what a compiler made somewhere must not decide alone which
 * pieces are good. The length takes the function through whole blocks and both kinds of ending.
 */
function isRight(hashBoth: HashBoth): boolean {
  return [119, 120].every((length) => {
    const bytes = Buffer.alloc(length, 'piece')
    const [found, expected] = [Buffer.alloc(hashBytes), Buffer.alloc(hashBytes)]
    hashBoth(bytes, found)
    hashOneByOne(bytes, expected)
    return found.equals(expected)
  })
}
