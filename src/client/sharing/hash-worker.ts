// A worker that does what is heavy with pieces: hashes those of a file that is to be shared, and
// verifies and writes those that were received. Bytes are not handed over: it reads files itself, and
// received pieces lie in shared memory.

import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { pieceBytes } from '../../common/limits.ts'
import { hashPiece } from '../../common/manifest.ts'
import { pieceLength, pieceOffset } from '../../common/pieces.ts'

/** Pieces of a file, to be read and hashed. */
export interface HashTask {
  readonly path: string
  readonly sizeBytes: number
  readonly indices: readonly number[]
}

/** A received piece, to be written to an open file if its hashes are the expected ones. */
export interface StoreTask {
  readonly piece: Uint8Array
  /** 52 bytes, as the manifest has them. */
  readonly expected: Uint8Array
  /** A file descriptor of this process. */
  readonly file: number
  /** Where in the file, in bytes. */
  readonly offset: number
}

export type TaskResult =
  | { readonly hashes: Uint8Array }
  /** False: the piece is not what was expected, and was not written. */
  | { readonly stored: boolean }
  | { readonly problem: string; readonly code?: string | undefined }

/** The hashes of these pieces, 52 bytes each, in their order. Throws when the file is shorter or unreadable. */
export function hashOfFile(task: HashTask): Buffer {
  const file = openSync(task.path, 'r')
  const buffer = Buffer.allocUnsafeSlow(pieceBytes)
  try {
    const hashes: Buffer[] = []
    for (const index of task.indices) {
      const length = pieceLength(task.sizeBytes, index)
      let filled = 0
      while (filled < length) {
        const count = readSync(file, buffer, filled, length - filled, pieceOffset(index) + filled)
        if (count === 0) throw new Error('the file became shorter while it was read')
        filled += count
      }
      hashes.push(hashPiece(buffer.subarray(0, length)))
    }
    return Buffer.concat(hashes)
  } finally {
    closeSync(file)
  }
}

/** Verified first, then written; in one go, while the piece is in this core's cache. */
function store({ piece, expected, file, offset }: StoreTask): boolean {
  if (!hashPiece(piece).equals(expected)) return false
  for (let at = 0; at < piece.length;) at += writeSync(file, piece, at, piece.length - at, offset + at)
  return true
}

function run(task: HashTask | StoreTask): TaskResult {
  try {
    return 'piece' in task ? { stored: store(task) } : { hashes: hashOfFile(task) }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined
    return { problem: error.message, code }
  }
}

parentPort?.on('message', (task: HashTask | StoreTask) => parentPort?.postMessage(run(task)))
