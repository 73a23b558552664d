// What one connection has sent and is not answered yet, in the order of arrival. The oldest first waits until the
// state is up to date, if it reads, and then for its turn; only then it begins. Pauses reading when enough has come,
// and begins nothing while the other end is behind with reading answers.

import { requestsInFlightMax, waitingCostMax } from '../limits.ts'
import type { Channel } from './channel.ts'
import { noWaiting, type Turns } from './turns.ts'

export interface RequestQueueOptions {
  /**
   * Awaited before a read, so that it sees everything acknowledged before it came; undefined when nothing is missing.
   * `cameAtMs`: when its bytes were read, by `performance.now()`.
   */
  sync?: (cameAtMs: number) => Promise<void> | undefined
  turns?: Turns
  /** Whose share of the turns this takes. `method` is undefined for anything but a request. */
  owner?: (method: string | undefined, params: unknown) => string
}

/** Something received that takes a turn. */
export interface Item {
  /** Of a request; undefined for anything else. */
  readonly method?: string
  readonly params?: unknown
  /** In microseconds, with that of reading it. */
  readonly cost: number
  readonly mutates: boolean
  readonly reads: boolean
  /** Begins the work; `onDone` is called when it is done. */
  readonly begin: (onDone: () => void) => void
}

interface Waiting {
  readonly item: Item
  readonly cameAtMs: number
}

export class RequestQueue {
  readonly #channel: Channel
  readonly #options: RequestQueueOptions
  readonly #turns: Turns
  readonly #onItemDone: () => void
  /** Items whose turn has not come, oldest first. */
  #waiting: Waiting[] = []
  /** How many of them, from the oldest on, came before the state was last brought up to date. */
  #current = 0
  #isSyncing = false
  #asksForTurn = false
  /** Items that are not done. */
  #inFlight = 0
  /** The cost of the waiting items. */
  #waitingCost = 0

  /** `onItemDone` is called after each item that is done while the channel is open. */
  constructor(channel: Channel, options: RequestQueueOptions, onItemDone: () => void) {
    this.#channel = channel
    this.#options = options
    this.#turns = options.turns ?? noWaiting
    this.#onItemDone = onItemDone
  }

  /** Whether everything that came is done. */
  get isIdle(): boolean {
    return this.#inFlight === 0
  }

  add(item: Item): void {
    this.#waiting.push({ item, cameAtMs: this.#channel.lastHeardAtMs })
    this.#onAdded(item)
  }

  /** Adds an item before those that wait: it came with one that has just begun. */
  addNext(item: Item): void {
    this.#waiting.unshift({ item, cameAtMs: this.#channel.lastHeardAtMs })
    this.#onAdded(item)
  }

  /** Forgets what waits. What has begun goes on. */
  clear(): void {
    this.#waiting = []
  }

  #onAdded(item: Item): void {
    this.#waitingCost += item.cost
    this.#inFlight++
    this.#advance()
    if (this.#isFull) this.#channel.pause('requests')
  }

  /** Whether to pause reading, which takes time too and would delay what already waits. */
  get #isFull(): boolean {
    return this.#inFlight >= requestsInFlightMax || this.#waitingCost > waitingCostMax
  }

  /** Sync comes before the turn: what waits for it together must not begin together. */
  #advance(): void {
    const [first] = this.#waiting
    if (first === undefined || this.#asksForTurn || this.#isSyncing) return
    if (this.#channel.isPausedFor('output')) return
    const { item, cameAtMs } = first
    if (item.reads && this.#current === 0 && this.#syncs(cameAtMs)) return
    this.#asksForTurn = true
    const { method, params, cost, mutates } = item
    const owner = this.#options.owner?.(method, params) ?? ''
    const isGone = (): boolean => this.#channel.isClosed
    this.#turns.ask({ owner, cost, mutates, isGone, go: () => this.#onTurn(owner, mutates) })
  }

  /** True when the oldest item has to wait for the log. */
  #syncs(cameAtMs: number): boolean {
    const syncing = this.#options.sync?.(cameAtMs)
    if (syncing === undefined) return false
    let covered = 1
    // What is yet to be read of the same chunk came before this as well.
    queueMicrotask(() => {
      covered = this.#waiting.length
    })
    this.#isSyncing = true
    void syncing.then(() => {
      this.#isSyncing = false
      this.#current = covered
      this.#advance()
    })
    return true
  }

  #onTurn(owner: string, mutates: boolean): void {
    this.#asksForTurn = false
    const item = this.#waiting.shift()?.item
    this.#current = Math.max(0, this.#current - 1)
    this.#waitingCost -= item?.cost ?? 0
    const onDone = (): void => {
      if (mutates) this.#turns.onChanged(owner)
      this.#onDone()
    }
    // The connection may have closed meanwhile.
    if (item === undefined || this.#channel.isClosed) onDone()
    else item.begin(onDone)
    this.#advance()
  }

  #onDone(): void {
    this.#inFlight--
    if (this.#channel.isClosed) return
    this.#onItemDone()
    if (this.#channel.isBehind) this.#pauseUntilRead()
    if (!this.#isFull) this.#channel.resume('requests')
  }

  /** Answers take memory until they are read, so no further request begins before that. */
  #pauseUntilRead(): void {
    if (this.#channel.isClosed || this.#channel.isPausedFor('output')) return
    this.#channel.pause('output')
    void this.#channel.whenDrained().then(() => {
      this.#channel.resume('output')
      this.#advance()
    })
  }
}
