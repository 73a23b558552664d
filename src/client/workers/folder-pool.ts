// Looks through folders and reads from their files without blocking the event loop: in threads, except for what is over
// before one would have started.

import type { Worker } from 'node:worker_threads'
import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import { readTree, type TreeEntry } from '../../common/tree/tree.ts'
import { stampsAt } from '../folder/files-on-disk.ts'
import type { FolderPieces } from '../folder/folder-pieces.ts'
import { pickStamps, type FolderStamps } from '../folder/folder-stamps.ts'
import { ifShort, inSlices } from '../folder/in-slices.ts'
import { packSegments } from '../folder/packed-segments.ts'
import { readSegmentsLater, type DiskSegment, type SegmentFault } from '../folder/read-segments.ts'
import { scanFolder, type ScanOptions } from '../folder/scan.ts'
import { encodedScan, type EncodedScan, type FolderResult, type FolderTask } from './folder-worker.ts'
import { startWorker } from './start-worker.ts'
import { systemError } from './system-error.ts'
import { TaskPool } from './task-pool.ts'

/** A folder that was looked through, with its tree, encoded too. */
export type ScannedFolder = EncodedScan & { readonly entries: readonly TreeEntry[] }

/** A part of a file that is not as its stamp says, by the number of the file in the tree. */
export interface EntryFault {
  readonly entry: number
  readonly state: 'changed' | 'lost'
}

/** Threads that read for others: a slow disk serves several at once better. */
const readers = 2
/** Pieces that are read by promises first: most shares are seldom fetched, and a thread takes a while to start. */
const piecesByPromises = 16
/** Of which none has more files than this. */
const filesByPromises = 500
const readerIdleMs = 10_000
/** A folder that is replaced is looked through again when the new one is there. */
const scannerIdleMs = 2000
/** Of 512 KiB each, that are kept for the next reads. */
const buffersKept = 8

export class FolderPool {
  readonly #scanners: TaskPool<FolderTask, FolderResult>
  readonly #readers: TaskPool<FolderTask, FolderResult>
  readonly #buffers: SharedArrayBuffer[] = []
  #piecesRead = 0

  /** `startWorker` is for tests. */
  constructor(startWorker = startFolderWorker) {
    const options = { work: 'looking through a folder', startWorker }
    this.#scanners = new TaskPool({ ...options, size: 1, idleMs: scannerIdleMs })
    this.#readers = new TaskPool({ ...options, size: readers, idleMs: readerIdleMs })
  }

  /**
   * Looks through the folder at `root`. Rejects with a `file` failure, or with the signal's reason as soon as it
   * aborts.
   */
  async scan(root: string, options: ScanOptions, signal?: AbortSignal): Promise<Answer<ScannedFolder>> {
    const short = ifShort(scanFolder(root, options))
    if (short !== undefined) {
      if (!short.value.ok) return short.value
      const scan = encodedScan(short.value.value)
      return scan.ok ? accept({ ...scan.value, entries: short.value.value.entries }) : scan
    }
    const result = await this.#run(this.#scanners, { kind: 'scan', root, options }, signal)
    if (!('scan' in result)) throw new Error('the worker answered something else')
    if (!result.scan.ok) return result.scan
    const entries = await inSlices(readTree(result.scan.value.tree))
    if ('problem' in entries) throw new Error(`the tree that was made is wrong: ${entries.problem}`)
    return accept({ ...result.scan.value, entries })
  }

  /** The stamps of the files of a folder now. Rejects as `scan` does. */
  async stampsOf({ root, tree }: FolderPieces, signal?: AbortSignal): Promise<FolderStamps> {
    const { entries, bytes, spellings } = tree
    const short = ifShort(stampsAt(root, entries, spellings))
    if (short !== undefined) return short.value
    const task = { kind: 'stamps', root, tree: bytes, spellings } as const
    const result = await this.#run(this.#scanners, task, signal)
    if (!('stamps' in result)) throw new Error('the worker answered something else')
    return result.stamps
  }

  /**
   * Fills the start of `buffer` with a piece of the files, and says which of them are not what their stamps say. Rejects
   * with the system's error when too many files are open, and with a `file` failure when the thread ended.
   */
  async read(
    pieces: FolderPieces,
    piece: number,
    stamps: FolderStamps,
    buffer: Buffer,
  ): Promise<EntryFault[]> {
    const parts = pieces.segmentsOf(piece)
    const entries = parts.map(({ entry }) => entry)
    const picked = pickStamps(stamps, entries)
    const faults =
      this.#piecesRead++ < piecesByPromises && parts.length <= filesByPromises
        ? await readSegmentsLater(pieces.root, parts, picked, buffer)
        : await this.#readInThread(pieces.root, parts, picked, buffer)
    return faults.map(({ segment, state }) => ({ entry: entries[segment] ?? 0, state }))
  }

  /** Ends the threads and rejects what is pending. */
  async close(): Promise<void> {
    await Promise.all([this.#scanners.close(), this.#readers.close()])
  }

  async #readInThread(
    root: string,
    segments: readonly DiskSegment[],
    stamps: FolderStamps,
    buffer: Buffer,
  ): Promise<readonly SegmentFault[]> {
    const into = this.#buffers.pop() ?? new SharedArrayBuffer(pieceBytes)
    const task = { kind: 'read', root, segments: packSegments(segments), stamps, into } as const
    const result = await this.#run(this.#readers, task)
    if (!('faults' in result)) throw new Error('the worker answered something else')
    const bytes = segments.reduce((all, { length }) => all + length, 0)
    buffer.set(new Uint8Array(into, 0, bytes))
    if (this.#buffers.length < buffersKept) this.#buffers.push(into)
    return result.faults
  }

  async #run(
    pool: TaskPool<FolderTask, FolderResult>,
    task: FolderTask,
    signal?: AbortSignal,
  ): Promise<FolderResult> {
    const [result] = await pool.runAll([() => task], (result) => result, signal)
    if (result === undefined) throw new Failure('file', 'a thread gave no result')
    if ('problem' in result) {
      if (result.errno !== undefined) throw systemError(result.errno, 'read')
      throw new Failure('file', result.problem)
    }
    return result
  }
}

function startFolderWorker(): Worker {
  return startWorker(new URL('./folder-worker.js', import.meta.url))
}
