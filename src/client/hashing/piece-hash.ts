// Computes and verifies the two hashes of a piece, most of the work of a fast transfer. piece-hash.c computes
// both at once, in little more time than one. Where the build could not compile it, or the processor lacks
// the instructions, Node's functions compute one after the other.

import { hash } from 'node:crypto'
import { createRequire } from 'node:module'
import { hashBytes, hashesOfPiece, type Manifest } from '../../common/manifest.ts'

/** Writes the SHA-1 and the SHA-256 of `piece` into `hashes`, 52 bytes. */
export type HashBoth = (piece: Uint8Array, hashes: Uint8Array) => void

// Found beside this file, or beside the bundle that contains it (scripts/bundle.mjs).
const hashBoth = loadHashBoth('./piece-hash.node') ?? hashOneByOne

/** The hashes of a piece as in the manifest: SHA-1, then SHA-256, 52 bytes. */
export function hashPiece(piece: Uint8Array): Buffer {
  const hashes = Buffer.allocUnsafe(hashBytes)
  hashBoth(piece, hashes)
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

/** Loads the compiled function at `path`; undefined when missing, wrong, or unsupported by the processor. */
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
 * Compares the compiled function with Node's before it is used, since a miscompiled one could reject good
 * pieces and accept bad ones. The two lengths cover whole blocks and both kinds of padding.
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
