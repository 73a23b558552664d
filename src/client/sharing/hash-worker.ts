// A worker that hashes ranges of pieces of a file. It reads the file itself: handing the bytes over
// would cost more than hashing them.

import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { pieceBytes } from '../../common/limits.ts'
import { hashPiece } from '../../common/manifest.ts'
import { pieceLength, pieceOffset } from '../../common/pieces.ts'

export interface HashTask {
  readonly path: string
  readonly sizeBytes: number
  readonly first: number
  readonly count: number
}

export type HashResult = { readonly hashes: Uint8Array } | { readonly problem: string }

/** The hashes of `count` pieces from `first` on, 52 bytes each. Throws when the file is shorter or unreadable. */
export function hashRange(task: HashTask): Buffer {
  const file = openSync(task.path, 'r')
  const buffer = Buffer.allocUnsafeSlow(pieceBytes)
  try {
    const hashes: Buffer[] = []
    for (let index = task.first; index < task.first + task.count; index++) {
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

parentPort?.on('message', (task: HashTask) => {
  let result: HashResult
  try {
    result = { hashes: hashRange(task) }
  } catch (error) {
    result = { problem: error instanceof Error ? error.message : String(error) }
  }
  parentPort?.postMessage(result)
})
