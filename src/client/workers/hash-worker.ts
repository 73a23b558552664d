// A worker that hashes pieces of a file. It reads the file itself, so that no bytes pass between threads.

import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { hashPiece } from '../hashing/piece-hash.ts'
import { returnPieceBuffer, takePieceBuffer } from '../transfer/piece-buffers.ts'

/** In bytes; no longer than a piece. */
export type ByteRange = readonly [offset: number, length: number]

/** Pieces of a file to read and hash. */
export interface HashTask {
  readonly path: string
  readonly ranges: readonly ByteRange[]
}

/**
 * The hashes, or why there are none. `errno` is libuv's number of a system error, sent separately because an
 * error loses its code on the way between threads.
 */
export type TaskResult =
  { readonly hashes: Uint8Array } | { readonly problem: string; readonly errno: number | undefined }

/** The hashes of these pieces, 52 bytes each, in order. Throws when the file is shorter or unreadable. */
export function hashOfFile(task: HashTask): Buffer {
  const file = openSync(task.path, 'r')
  // Reused for all tasks of a thread: a new one would occupy memory until the next garbage collection.
  const buffer = takePieceBuffer()
  try {
    const hashes: Buffer[] = []
    for (const [offset, length] of task.ranges) {
      let filled = 0
      while (filled < length) {
        const count = readSync(file, buffer, filled, length - filled, offset + filled)
        if (count === 0) throw new Failure('file', 'the file became shorter while it was read')
        filled += count
      }
      hashes.push(hashPiece(buffer.subarray(0, length)))
    }
    return Buffer.concat(hashes)
  } finally {
    closeSync(file)
    returnPieceBuffer(buffer)
  }
}

function run(task: HashTask): TaskResult {
  try {
    return { hashes: hashOfFile(task) }
  } catch (error) {
    if (!(error instanceof Failure) && systemCode(error) === undefined) throw error
    const { errno } = error as NodeJS.ErrnoException
    return { problem: sentenceOf(error), errno }
  }
}

parentPort?.on('message', (task: HashTask) => parentPort?.postMessage(run(task)))
