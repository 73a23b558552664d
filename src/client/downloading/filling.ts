// Fills a folder beside its destination from the part file, and from the folder that it replaces: while the last pieces come
// where there is time and room for that, and else when all are there. What is filled so early is only a help: whatever goes
// wrong with it, it is removed, and the folder is filled when all is there.

import { lstat, mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bitfield } from '../../common/bitfield.ts'
import { Failure, systemCode } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import type { FolderFacts } from '../../common/manifest.ts'
import type { Selection } from '../folder/selection.ts'
import { UnpackThread } from '../workers/unpack-thread.ts'
import { readContents, unpack, type Filled, type UnpackSource, type UnpackTask } from '../workers/unpack.ts'
import type { ReplacedFolder } from './already-there.ts'
import { freeBytesFor } from './destination.ts'
import type { LentPieces } from './lent-pieces.ts'
import { fileFailure, idOf, type PartId } from './part-file.ts'
import { checkAside, isThat, lookAt, unpackPathOf } from './swap.ts'

/** A folder of so few bytes is filled in a moment; starting a thread takes longer. */
const fewBytes = 2 * 1024 * 1024
const fewTreeBytes = 4 * 1024
/** So many missing pieces (2 GiB) come in some seconds on a fast network; a thread that waits for long holds memory. */
const piecesAhead = 4096
/** The thread hears of so many at once. */
const piecesAtOnce = 8
/** What a file takes on the disk besides its bytes, at most about. */
const fileRoomBytes = 4096

export interface FillingParts {
  readonly folder: FolderFacts
  /** The descriptor of the open part file. */
  readonly part: number
  readonly destination: string
  /** The folder at the destination that is to be replaced. */
  readonly replaces: ReplacedFolder | undefined
  /** The folder that an earlier run filled, or began to. */
  readonly known: PartId | undefined
  /** The folder that is filled from now on; resolves when that is remembered. */
  readonly onMade: (id: PartId) => Promise<void>
}

/** A thread that fills the folder while pieces come. */
interface Ahead {
  readonly thread: UnpackThread
  /** Resolves to undefined when the folder is not filled. Rejects for bugs only. */
  readonly filled: Promise<Filled | undefined>
}

export class Filling {
  readonly target: string
  readonly #parts: FillingParts
  readonly #start: (source: UnpackSource) => UnpackThread
  readonly #freeBytes: (path: string) => Promise<number>
  #known: PartId | undefined
  #lent: LentPieces | undefined
  /** The pieces of the whole folder, once its tree is there. */
  #have: Bitfield | undefined
  #ahead: Ahead | undefined
  /** Pieces of which the thread has not heard; undefined before it has heard of any. */
  #untold: number[] | undefined
  #isWhole = false
  #mayFillAhead = true

  /** The rest is for tests. */
  constructor(parts: FillingParts, { start = startThread, freeBytes = freeBytesFor } = {}) {
    this.target = unpackPathOf(parts.destination)
    this.#parts = parts
    this.#known = parts.known
    this.#start = start
    this.#freeBytes = freeBytes
  }

  /**
   * The tree is there; `have`: the pieces that are there, now and later, of the whole folder. The tree is handed over: by the
   * time the thread looks, somebody may have written to the part file. Resolves to whether a thread has found that it is that
   * of the pieces. Rejects with a `protocol` failure when it is not.
   */
  async onTree(tree: Uint8Array, have: Bitfield): Promise<boolean> {
    this.#have = have
    this.#fillAhead(tree)
    const thread = this.#ahead?.thread
    try {
      await thread?.treeGood()
      return thread !== undefined
    } catch (error) {
      if (error instanceof Failure && error.code === 'protocol') throw error
      ifExpected(error)
      return false
    }
  }

  /** Whether pieces of the folder that is replaced can be lent: where writing a few bytes is not quicker. */
  get canLend(): boolean {
    return this.#parts.replaces !== undefined && !this.#isShort()
  }

  /** What needs no room in the part file. */
  get lentBytes(): number {
    return this.#lent?.sizeBytes ?? 0
  }

  /** These are lent from now on. Call it before the tree is there. */
  lend(lent: LentPieces): void {
    this.#lent = lent
  }

  /** Another piece is there. */
  onHave(index: number): void {
    this.#fillAhead()
    if (this.#lent?.has(index) === true) return
    if (this.#untold === undefined || this.#untold.push(index) < piecesAtOnce) return
    this.#ahead?.thread.onPieces(this.#untold)
    this.#untold = []
  }

  /**
   * All pieces that are wanted are there: resolves when the folder is filled; to undefined when pieces that were lent are
   * missing now. Rejects with a failure, or with the system's error. `selection`: the part that is wanted; undefined for the whole.
   */
  async finish(selection?: Selection): Promise<Filled | undefined> {
    const filled = await this.#finishAhead()
    if (filled !== undefined) return filled
    if (this.#lent?.giveUpLost() === true) return undefined
    await this.#make()
    const task = { ...this.#task, selection }
    if (task.lent === undefined && this.#isShort(selection?.sizeBytes))
      return unpack(this.#source, readContents(this.#source), task)
    const thread = this.#start(this.#source)
    thread.begin(task)
    let areThere = false
    try {
      areThere = await this.#copyNeeded(thread)
    } finally {
      if (!areThere) await thread.close()
    }
    if (!areThere) return undefined
    thread.onAll()
    return thread.outcome()
  }

  /** Copies all that is lent into the part file: the folder that has it may be moved away. Rejects with a `file` failure. */
  async copyLent(): Promise<void> {
    await this.#lent?.copy()
  }

  /** Resolves to false when some of them are not what they were. */
  async #copyNeeded(thread: UnpackThread): Promise<boolean> {
    return this.#lent === undefined || this.#lent.copy(await thread.needed())
  }

  /** Takes away what is filled; it may be begun anew. Rejects with the system's error. */
  async discard(): Promise<void> {
    await this.#stop()
    await this.#clear()
    this.#mayFillAhead = true
  }

  /** Resolves when nobody reads the part file or fills anything. `remove`: what is filled takes room that others need. */
  async close(remove: boolean): Promise<void> {
    this.#mayFillAhead = false
    const wasAhead = this.#ahead !== undefined
    await this.#stop()
    // The next run removes what cannot be removed now.
    if (remove && wasAhead) await this.#clear().catch(ifExpected)
  }

  get #source(): UnpackSource {
    return { source: this.#parts.part, folder: this.#parts.folder }
  }

  get #task(): Omit<UnpackTask, 'selection'> {
    const { replaces, destination } = this.#parts
    const former = replaces === undefined ? undefined : destination
    return { target: this.target, former, lent: this.#lent?.to }
  }

  /** Whether it is filled without a thread. `sizeBytes`: of the part that is wanted; undefined for the whole. */
  #isShort(sizeBytes = this.#sizeBytes): boolean {
    return this.#parts.folder.treeBytes <= fewTreeBytes && sizeBytes <= fewBytes
  }

  get #sizeBytes(): number {
    return this.#parts.folder.offsets.at(-1) ?? 0
  }

  /** Begins when it is time and nothing speaks against it. */
  #fillAhead(tree?: Uint8Array): void {
    const have = this.#have
    if (!this.#mayFillAhead || have === undefined || this.#isShort()) return
    if (have.length - have.count > piecesAhead) return
    this.#mayFillAhead = false
    this.#isWhole = false
    const thread = this.#start({ ...this.#source, tree })
    this.#ahead = { thread, filled: this.#filledBy(thread, have) }
  }

  async #filledBy(thread: UnpackThread, have: Bitfield): Promise<Filled | undefined> {
    try {
      await this.#make((have.length - have.count) * pieceBytes)
      thread.begin(this.#task)
      if (!(await this.#copyNeeded(thread)))
        throw new Failure('file', 'something in the folder that is replaced was changed')
      const isThere = (index: number): boolean => have.has(index) && this.#lent?.has(index) !== true
      thread.onPieces([...Array(have.length).keys()].filter(isThere))
      this.#untold = []
      if (this.#isWhole) thread.onAll()
      const filled = await thread.outcome()
      return (await isThat(this.target, this.#known ?? '')) ? filled : undefined
    } catch (error) {
      ifExpected(error)
      await thread.close()
      // Unless somebody stopped it: the room may be needed for what still comes.
      if (this.#ahead?.thread === thread) await this.#clear().catch(ifExpected)
      return undefined
    } finally {
      this.#untold = undefined
    }
  }

  async #finishAhead(): Promise<Filled | undefined> {
    const ahead = this.#ahead
    if (ahead === undefined) return undefined
    this.#isWhole = true
    if (this.#untold !== undefined) ahead.thread.onAll()
    const filled = await ahead.filled
    this.#ahead = undefined
    return filled
  }

  async #stop(): Promise<void> {
    const ahead = this.#ahead
    this.#ahead = undefined
    await ahead?.thread.close()
    await ahead?.filled
  }

  /** Makes the folder, empty. `missingBytes`: rejects where the disk has no room for these and the folder. */
  async #make(missingBytes?: number): Promise<void> {
    const { destination, folder, replaces, onMade } = this.#parts
    if (replaces !== undefined) await checkAside(destination)
    await this.#clear()
    if (missingBytes !== undefined) {
      const neededBytes = missingBytes + this.#sizeBytes - this.lentBytes + folder.files * fileRoomBytes
      if ((await this.#freeBytes(destination)) < neededBytes)
        throw new Failure('file', 'there is no room for it beside the part file')
    }
    // Nobody else may put anything into it before it has its name.
    await mkdir(this.target, 0o700)
    this.#known = idOf(await lstat(this.target))
    await onMade(this.#known)
  }

  #clear(): Promise<void> {
    return clear(this.target, this.#known)
  }
}

/** Removes what was filled and has no final name. Rejects with a `file` failure. */
export async function removeUnpacked(destination: string, known: PartId | undefined): Promise<void> {
  if (known === undefined) return
  const target = unpackPathOf(destination)
  await clear(target, known).catch((error: unknown) => {
    throw fileFailure(`cannot remove ${target}`, error)
  })
}

/** Removes what an earlier run left; what somebody else put there stays, and is refused. */
async function clear(target: string, known: PartId | undefined): Promise<void> {
  const there = await lookAt(target)
  if (there === undefined) return
  if (there.isDirectory() && known !== undefined && (await isOurs(target, known))) {
    await rm(target, { recursive: true })
    return
  }
  // A kill before it was remembered leaves an empty one.
  await rmdir(target).catch((error: unknown) => {
    throw new Failure('file', `${target} is in the way; move it away`, error)
  })
}

/** Whether this is the folder that was filled, or has nothing but the file that was. */
async function isOurs(target: string, known: PartId): Promise<boolean> {
  if (await isThat(target, known)) return true
  const [name, ...others] = await readdir(target)
  return name !== undefined && others.length === 0 && (await isThat(join(target, name), known))
}

/** Throws what is a bug. */
function ifExpected(error: unknown): void {
  if (!(error instanceof Failure) && systemCode(error) === undefined) throw error
}

function startThread(source: UnpackSource): UnpackThread {
  return new UnpackThread(source)
}
