// Sends bytes to one guest by the queue of all uploads: under its limit and that of the entry, and in turn. All guests
// together count as one member there, so however many there are, they take one share. A block is taken over from the queue
// as it comes, and the next one is asked for when that was read: so a guest who reads slowly holds one block of memory, but
// nothing of the queue, and keeps nobody waiting there.

import { Failure } from '../../common/failure.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import { Pace } from '../transfer/pace.ts'
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
  /** The network of the guest. */
  readonly guest: string
  readonly uploads: UploadQueue
  readonly blocks: Blocks
  readonly from: number
  /** Behind the last byte. */
  readonly to: number
  /** Why nothing may be sent any more; undefined while it may. Asked before each slice. */
  readonly problem: () => string | undefined
  /** These bytes are on their way. */
  readonly onSent: (from: number, to: number) => void
  /** It has come to its end; `why`, if before the last byte. Told once. */
  readonly onOver: (why: string | undefined) => void
  /** A guest who takes nothing for so long is cut off. */
  readonly stalledMs: number
}

/** No user is called so: names have no spaces. */
const guests = 'all guests'

export class GuestUpload implements UploadPeer {
  readonly owner = guests
  readonly roundTrip = { ms: 0 }
  readonly #pace = new Pace()
  readonly #options: GuestUploadOptions
  /** Where the next block is asked for, and up to where bytes were taken. */
  #askedTo: number
  #sentTo: number
  #request = 0
  /** What the guest has yet to take. */
  readonly #ready: Buffer[] = []
  #wake: (() => void) | undefined
  #stalled: NodeJS.Timeout | undefined
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

  get guest(): string {
    return this.#options.guest
  }

  bytesPerSecond(nowMs: number): number {
    return this.#pace.bytesPerSecond(nowMs)
  }

  get isGone(): boolean {
    return this.#isOver
  }

  /**
   * The next bytes, when their turn has come; undefined behind the last ones. Rejects with a `file` failure when no more
   * come.
   */
  async next(): Promise<Buffer | undefined> {
    clearTimeout(this.#stalled)
    if (this.#sentTo >= this.#options.to) {
      this.#end(undefined)
      return undefined
    }
    while (this.#ready.length === 0 && !this.#isOver)
      await new Promise<void>((resolve) => (this.#wake = resolve))
    const slice = this.#ready.shift()
    if (slice === undefined) throw new Failure('file', this.#why ?? 'it was not read to its end')
    const from = this.#sentTo
    this.#sentTo += slice.length
    this.#pace.onBytes(slice.length, performance.now())
    this.#options.onSent(from, this.#sentTo)
    if (this.#sentTo === this.#askedTo) this.#ask()
    else this.#watch()
    return slice
  }

  /** Ends it; nothing more is sent. */
  close(why: string): void {
    this.#end(why)
  }

  tellChosen(): void {
    // Guests choose: each block is asked for by its place.
  }

  begin(): void {
    // The bytes are told apart by their order.
  }

  send(bytes: Uint8Array): Promise<void> {
    const why = this.#options.problem()
    if (why !== undefined) this.close(why)
    if (this.#isOver) return Promise.resolve()
    // A copy: the queue uses its memory again.
    this.#ready.push(Buffer.from(bytes))
    this.#watch()
    this.#wake?.()
    return Promise.resolve()
  }

  refuse(_requestId: number, answer: Answer<never>): void {
    if (!answer.ok) this.close(answer.refusal.sentence)
  }

  #end(why: string | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#why = why
    this.#ready.length = 0
    clearTimeout(this.#stalled)
    this.#wake?.()
    this.#options.uploads.drop(this)
    this.#options.onOver(why)
  }

  /** Cuts off a guest who takes nothing of what is there. */
  #watch(): void {
    if (this.#ready.length === 0 || this.#isOver) return
    clearTimeout(this.#stalled)
    this.#stalled = setTimeout(
      () => this.close('nothing of it was read for too long'),
      this.#options.stalledMs,
    )
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
