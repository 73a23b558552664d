// Hashes files on all cores without blocking the event loop: hands tasks of 64 pieces to a few workers.

import { availableParallelism } from 'node:os'
import { setImmediate } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { Failure } from '../../common/failure.ts'
import { hashBytes } from '../../common/manifest.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { pieceCount, pieceLength, pieceOffset } from '../../common/pieces.ts'
import { segmentCount } from '../folder/packed-segments.ts'
import { systemError } from './system-error.ts'
import { startWorker } from './start-worker.ts'
import { TaskPool } from './task-pool.ts'
import {
  runHashing,
  type ByteRange,
  type HashTask,
  type SegmentTask,
  type TaskResult,
} from './hash-worker.ts'

/** 32 MiB: large enough to make handing out tasks cheap, small enough for all workers to finish together. */
const taskPieces = 64

/** Files up to this many pieces (4 MiB) are hashed on the event loop: starting a worker takes longer. */
export const inlinePieces = 8
/** Likewise those of folders, with so many parts of files in them. */
const inlineSegments = 100

/** Files up to so many pieces (128 MiB) likewise, so many pieces at once, while these come from memory. */
const inSlices = 256
const slicePieces = 4
/** A slice that takes longer came from disk or lost the processor; the system's count of disk reads tells which. */
const slowMs = 20
/** One that takes so long is slow in any case: file systems outside the kernel are missing from that count. */
const tooSlowMs = 100

/** How long to keep idle workers: a script shares files one right after the other. */
const idleMs = 250

export interface HashOptions {
  /** Ends it, as soon as it aborts. */
  readonly signal?: AbortSignal | undefined
  /** Called now and then: so many pieces were hashed, from this one of those that were asked for. */
  readonly onProgress?: (pieces: number, first: number) => void
}

/** Some pieces of the folder at `root`. */
export interface HashedSegments {
  /** 52 bytes for each piece, in order. */
  readonly hashes: Buffer
  /** Paths on disk, within the folder, of files that were read and are not what their stamps say. */
  readonly touched: ReadonlySet<string>
}

export interface FolderWork {
  readonly root: string
  readonly count: number
  /** Those from one place among them to another, which is behind the last. */
  readonly task: (from: number, to: number) => SegmentTask
  /** Fewer than usual where they have very many files. */
  readonly taskPieces?: number
}

export class HashPool {
  readonly #tasks: TaskPool<HashTask | SegmentTask, TaskResult>
  #isSlicing = false
  #isClosed = false

  /** `startWorker` is for tests. */
  constructor(size = Math.min(4, Math.max(1, availableParallelism())), startWorker = startHashWorker) {
    this.#tasks = new TaskPool({ work: 'hashing', size, startWorker, idleMs })
  }

  /** The hashes of all pieces of a file, 52 bytes each. Rejects as `hashRanges` does. */
  async hashFile(path: string, sizeBytes: number, options?: HashOptions): Promise<Buffer> {
    const all = Array.from({ length: pieceCount(sizeBytes) }, (_, index): ByteRange => [
      pieceOffset(index),
      pieceLength(sizeBytes, index),
    ])
    return this.hashRanges(path, all, options)
  }

  /**
   * The hashes of some parts of a file, none longer than a piece, in their order. Rejects with a `file` failure, or with
   * the signal's reason as soon as it aborts; then no further task of this call begins.
   */
  async hashRanges(
    path: string,
    ranges: readonly ByteRange[],
    { signal, onProgress }: HashOptions = {},
  ): Promise<Buffer> {
    signal?.throwIfAborted()
    if (ranges.length <= inlinePieces) return Buffer.from(hashesIn(runHashing({ path, ranges }), path))
    const isQuick = ranges.length <= inSlices && !this.#isSlicing
    const here = isQuick ? await this.#hashSlices(path, ranges, { signal, onProgress }) : Buffer.alloc(0)
    const rest = ranges.slice(here.length / hashBytes)
    const tasks: HashTask[] = []
    for (let at = 0; at < rest.length; at += taskPieces)
      tasks.push({ path, ranges: rest.slice(at, at + taskPieces) })
    const hashes = await this.#tasks.runAll(
      tasks.map((task) => () => task),
      (result, index) => {
        const found = hashesIn(result, path)
        onProgress?.(tasks[index]?.ranges.length ?? 0, here.length / hashBytes + index * taskPieces)
        return found
      },
      signal,
    )
    return Buffer.concat([here, ...hashes])
  }

  /** The hashes of the first pieces: of all that the loop takes little time for, while it does so for no other file. */
  async #hashSlices(
    path: string,
    ranges: readonly ByteRange[],
    { signal, onProgress }: HashOptions,
  ): Promise<Buffer> {
    const hashes: Uint8Array[] = []
    this.#isSlicing = true
    try {
      let isQuick = true
      for (let at = 0; at < ranges.length && isQuick; at += slicePieces) {
        const slice = ranges.slice(at, at + slicePieces)
        const [startedAtMs, diskReads] = [performance.now(), process.resourceUsage().fsRead]
        hashes.push(hashesIn(runHashing({ path, ranges: slice }), path))
        const tookMs = performance.now() - startedAtMs
        isQuick = tookMs < slowMs || (tookMs < tooSlowMs && process.resourceUsage().fsRead === diskReads)
        onProgress?.(slice.length, at)
        await setImmediate()
        signal?.throwIfAborted()
        if (this.#isClosed) throw new Failure('file', 'hashing was stopped')
      }
    } finally {
      this.#isSlicing = false
    }
    return Buffer.concat(hashes)
  }

  /**
   * The hashes of pieces of a folder. Refuses, with the path, when a file is not there as a whole. Rejects as `hashRanges`
   * does.
   */
  async hashSegments(
    { root, count, task, taskPieces: perTask = taskPieces }: FolderWork,
    { signal, onProgress }: HashOptions = {},
  ): Promise<Answer<HashedSegments>> {
    signal?.throwIfAborted()
    const touched = new Set<string>()
    const tasks: (() => SegmentTask)[] = []
    for (let from = 0; from < count; from += perTask)
      tasks.push(() => task(from, Math.min(from + perTask, count)))
    const take = (result: TaskResult, index = 0): Uint8Array => {
      const hashes = hashesIn(result, root)
      if ('touched' in result) for (const path of result.touched ?? []) touched.add(path)
      onProgress?.(Math.min(perTask, count - index * perTask), index * perTask)
      return hashes
    }
    try {
      const small = count <= inlinePieces ? task(0, count) : undefined
      if (small !== undefined && segmentsIn(small) <= inlineSegments)
        return accept({ hashes: Buffer.from(take(runHashing(small))), touched })
      const hashes = Buffer.concat(await this.#tasks.runAll(tasks, take, signal))
      return accept({ hashes, touched })
    } catch (error) {
      if (!(error instanceof ChangedFile)) throw error
      return changedWhileRead(error.message)
    }
  }

  /** Ends the workers and rejects all pending hashing. */
  close(): Promise<void> {
    this.#isClosed = true
    return this.#tasks.close()
  }
}

function segmentsIn({ pieces }: SegmentTask): number {
  return pieces.reduce((all, piece) => all + segmentCount(piece), 0)
}

/** For the person. */
export function changedWhileRead(path: string): Answer<never> {
  return refuse('file-changed', `${path} changed while it was read; try again`)
}

/** A file of a folder is not what it was. The message is its path. */
class ChangedFile extends Error {}

/** Throws a `file` failure, or a `ChangedFile`. */
function hashesIn(result: TaskResult, path: string): Uint8Array {
  if ('hashes' in result) return result.hashes
  if ('changed' in result) throw new ChangedFile(`${path}/${result.changed}`)
  const cause = result.errno === undefined ? undefined : systemError(result.errno, 'read')
  throw new Failure('file', `cannot read ${path}: ${result.problem}`, cause)
}

function startHashWorker(): Worker {
  return startWorker(new URL('./hash-worker.js', import.meta.url))
}
