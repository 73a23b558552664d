// Sends bytes to one guest by the queue of all uploads: under its limit and that of the entry, and in turn. All guests
// together count as one member there, so however many there are and however they read, they take one share.

import { Failure } from '../../common/failure.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import type { Answering, UploadPeer } from './answering.ts'
import type { UploadQueue } from './upload-queue.ts'
import { within, type LimitOfEntry } from './within-limit.ts'

/** What is sent, cut into blocks, each of which is loaded at once. */
export interface Blocks {
  /** The block that has this byte, and where it begins and ends. */
  at(byte: number): Block
  /** Into `buffer`, which has the size of a piece, or elsewhere. Only what was verified. */
  load(block: Block, buffer: Buffer): Promise<Answer<Uint8Array>>
}

export interface Block {
  readonly index: number
  readonly from: number
  /** Behind its last byte. */
  readonly to: number
}

export interface GuestUploadOptions extends LimitOfEntry {
  readonly uploads: UploadQueue
  readonly blocks: Blocks
  readonly from: number
  /** Behind the last byte. */
  readonly to: number
  /** Why nothing may be sent any more; undefined while it may. Asked before each slice. */
  readonly problem: () => string | undefined
  /** These bytes are on their way. */
  readonly onSent: (from: number, to: number) => void
  /** A guest who takes nothing for so long is cut off. */
  readonly stalledMs: number
}

/** No user is called so: names have no spaces. */
const guests = 'all guests'

interface Slice {
  readonly bytes: Buffer
  /** To be called when the guest wants more. */
  readonly onTaken: () => void
}

export class GuestUpload implements UploadPeer {
  readonly owner = guests
  readonly roundTrip = { ms: 0 }
  readonly #options: GuestUploadOptions
  /** Where the next block is asked for, and up to where bytes were taken. */
  #askedTo: number
  #sentTo: number
  #request = 0
  #ready: Slice | undefined
  #wake: (() => void) | undefined
  #onTaken: (() => void) | undefined
  #why: string | undefined
  #isOver = false

  constructor(options: GuestUploadOptions) {
    this.#options = options
    this.#askedTo = options.from
    this.#sentTo = options.from
    this.#ask()
  }

  get sentBytes(): number {
    return this.#sentTo - this.#options.from
  }

  get isGone(): boolean {
    return this.#isOver
  }

  /**
   * The next bytes, when their turn has come; undefined behind the last ones. Whoever asks has taken those before. Rejects
   * with a `file` failure when no more come.
   */
  async next(): Promise<Buffer | undefined> {
    this.#take()
    if (this.#sentTo >= this.#options.to) {
      this.close('')
      return undefined
    }
    while (this.#ready === undefined && !this.#isOver)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    const slice = this.#ready
    if (slice === undefined) throw new Failure('file', this.#why ?? 'it was not read to its end')
    this.#ready = undefined
    this.#onTaken = slice.onTaken
    const from = this.#sentTo
    this.#sentTo += slice.bytes.length
    this.#options.onSent(from, this.#sentTo)
    return slice.bytes
  }

  /** Ends it; nothing more is sent. */
  close(why: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#why = why
    this.#ready?.onTaken()
    this.#ready = undefined
    this.#take()
    this.#wake?.()
    this.#options.uploads.drop(this)
  }

  tellChosen(): void {
    // Guests choose: each block is asked for by its place.
  }

  begin(): void {
    // Not before, so that blocks come in their order, and not within the turn of this one.
    queueMicrotask(() => this.#ask())
  }

  send(bytes: Uint8Array): Promise<void> {
    const why = this.#options.problem()
    if (why !== undefined) this.close(why)
    if (this.#isOver) return Promise.resolve()
    return new Promise((resolve) => {
      const stalled = setTimeout(
        () => this.close('nothing of it was read for too long'),
        this.#options.stalledMs,
      )
      const onTaken = (): void => {
        clearTimeout(stalled)
        resolve()
      }
      // A copy: the queue uses its memory again.
      this.#ready = { bytes: Buffer.from(bytes), onTaken }
      this.#wake?.()
    })
  }

  refuse(_requestId: number, answer: Answer<never>): void {
    if (!answer.ok) this.close(answer.refusal.sentence)
  }

  #take(): void {
    this.#onTaken?.()
    this.#onTaken = undefined
  }

  #ask(): void {
    const { blocks, to, uploads } = this.#options
    if (this.#isOver || this.#askedTo >= to) return
    const from = this.#askedTo
    const block = blocks.at(from)
    this.#askedTo = Math.min(to, block.to)
    const end = this.#askedTo
    const load = async (buffer: Buffer): Promise<Answer<Uint8Array>> => {
      const loaded = await blocks.load(block, buffer)
      return loaded.ok ? accept(loaded.value.subarray(from - block.from, end - block.from)) : loaded
    }
    const take = (): Answering | undefined =>
      within(this.#options, (limit) => ({ index: block.index, load, limit }))
    uploads.add(this, { id: this.#request++, take })
  }
}
