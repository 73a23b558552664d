// A worker that hashes pieces of a file or folder. It reads the files itself, so that no bytes pass between threads.

import { closeSync, openSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { stampsFrom, type FolderStamps } from '../folder/folder-stamps.ts'
import {
  bytesIn,
  readPacked,
  segmentCount,
  unpackSegments,
  type PackedSegments,
} from '../folder/packed-segments.ts'
import { readUpTo } from '../folder/read-up-to.ts'
import { hashPieces, piecesAtOnce } from '../hashing/piece-hash.ts'
import { returnPieceBuffer, takePieceBuffer } from '../transfer/piece-buffers.ts'

/** In bytes; no longer than a piece. */
export type ByteRange = readonly [offset: number, length: number]

/** Pieces of a file to read and hash. */
export interface HashTask {
  readonly path: string
  readonly ranges: readonly ByteRange[]
}

/** Pieces of a folder, likewise. */
export interface SegmentTask {
  readonly root: string
  readonly pieces: readonly PackedSegments[]
  /** Of all segments, in their order: those that the files must have. */
  readonly stamps: FolderStamps
}

/**
 * The hashes, or why there are none. `errno` is libuv's number of a system error, sent separately because an
 * error loses its code on the way between threads.
 */
export type TaskResult =
  | {
      readonly hashes: Uint8Array
      /** Of a folder: the paths, as below, of files that were read and are not what their stamps say. */
      readonly touched?: readonly string[]
    }
  | { readonly problem: string; readonly errno: number | undefined }
  /** The path on disk, within the folder, of a file of which a part is not there any more. */
  | { readonly changed: string }

/** The hashes of these pieces, 52 bytes each, in order. Throws when the file is shorter or unreadable. */
function hashOfFile(task: HashTask): Buffer {
  const file = openSync(task.path, 'r')
  const buffers = takeBuffers(task.ranges.length)
  try {
    const hashes: Buffer[] = []
    for (let first = 0; first < task.ranges.length; first += buffers.length) {
      const ranges = task.ranges.slice(first, first + buffers.length)
      hashes.push(
        hashPieces(ranges.map((range, at) => readRange(file, range, buffers[at] ?? Buffer.alloc(0)))),
      )
    }
    return Buffer.concat(hashes)
  } finally {
    closeSync(file)
    for (const buffer of buffers) returnPieceBuffer(buffer)
  }
}

function readRange(file: number, [offset, length]: ByteRange, buffer: Buffer): Buffer {
  const bytes = buffer.subarray(0, length)
  if (readUpTo(file, bytes, offset) < length)
    throw new Failure('file', 'the file became shorter while it was read')
  return bytes
}

/** Likewise of a folder, or the path of a file that is not there as a whole. Throws when too many files are open. */
function hashOfFolder({ root, pieces, stamps }: SegmentTask): TaskResult {
  const buffers = takeBuffers(pieces.length)
  try {
    const hashes: Buffer[] = []
    const touched: string[] = []
    let read: Buffer[] = []
    let at = 0
    for (const packed of pieces) {
      const buffer = buffers[read.length] ?? Buffer.alloc(0)
      const count = segmentCount(packed)
      for (const { segment, state } of readPacked(root, packed, stampsFrom(stamps, at, count), buffer)) {
        const path = unpackSegments(packed)[segment]?.path ?? ''
        if (state === 'lost') return { changed: path }
        touched.push(path)
      }
      at += count
      read.push(buffer.subarray(0, bytesIn(packed)))
      if (read.length < buffers.length) continue
      hashes.push(hashPieces(read))
      read = []
    }
    return { hashes: Buffer.concat([...hashes, hashPieces(read)]), touched }
  } finally {
    for (const buffer of buffers) returnPieceBuffer(buffer)
  }
}

/**
 * For as many of so many pieces as are hashed at once. Reused for all tasks of a thread: new ones would occupy memory until
 * the next garbage collection.
 */
function takeBuffers(pieceCount: number): Buffer[] {
  return Array.from({ length: Math.min(piecesAtOnce, pieceCount) }, takePieceBuffer)
}

/** Does not throw what the system refuses. */
export function runHashing(task: HashTask | SegmentTask): TaskResult {
  try {
    return 'root' in task ? hashOfFolder(task) : { hashes: hashOfFile(task) }
  } catch (error) {
    if (!(error instanceof Failure) && systemCode(error) === undefined) throw error
    const { errno } = error as NodeJS.ErrnoException
    return { problem: sentenceOf(error), errno }
  }
}

parentPort?.on('message', (task: HashTask | SegmentTask) => parentPort?.postMessage(runHashing(task)))
