// Starts the thread that writes a folder out while its last pieces come, so that it has read by then what is in the folder.

import type { FolderFacts } from '../../common/manifest.ts'
import { UnpackThread } from '../workers/unpack-thread.ts'
import type { UnpackSource } from '../workers/unpack.ts'

/** A folder of so few bytes is filled in a moment; starting a thread takes longer. */
const fewBytes = 2 * 1024 * 1024
const fewTreeBytes = 4 * 1024
/** So many missing pieces (2 GiB) come in some seconds on a fast network; a thread that waits for long holds memory. */
const piecesAhead = 4096

export class UnpackAhead {
  readonly source: UnpackSource
  readonly #folder: FolderFacts
  readonly #start: (source: UnpackSource) => UnpackThread
  #thread: UnpackThread | undefined

  /** `part`: the descriptor of the open part file. `start` is for tests. */
  constructor(folder: FolderFacts, part: number, start = startThread) {
    this.source = { source: part, treeBytes: folder.treeBytes }
    this.#folder = folder
    this.#start = start
  }

  /** Whether it is filled without a thread. `sizeBytes`: of the part that is wanted; undefined for the whole. */
  isShort(sizeBytes = this.#folder.offsets.at(-1) ?? Infinity): boolean {
    return this.#folder.treeBytes <= fewTreeBytes && sizeBytes <= fewBytes
  }

  /**
   * The tree is there and is that of the pieces, of which so many are missing. It is handed over: by the time the thread
   * looks, somebody may have written to the part file.
   */
  onTree(tree: Uint8Array, missing: number): void {
    if (missing <= piecesAhead && !this.isShort()) this.#thread ??= this.#start({ ...this.source, tree })
  }

  /** The thread, for who fills the folder now; it ends with that. */
  take(): UnpackThread {
    const thread = this.#thread ?? this.#start(this.source)
    this.#thread = undefined
    return thread
  }

  /** Resolves when nobody reads the part file. */
  async close(): Promise<void> {
    const thread = this.#thread
    this.#thread = undefined
    await thread?.close()
  }
}

function startThread(source: UnpackSource): UnpackThread {
  return new UnpackThread(source)
}
