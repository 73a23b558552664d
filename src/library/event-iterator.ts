// Events as they come, for a `for await` loop: what was not asked for yet waits.

import { Failure } from '../common/failure.ts'
import type { ClientEvent } from '../client/operations.ts'

/** Some hundred bytes each; far more than come while a program does something else. */
export const unreadEventsMax = 10_000

type Result = IteratorResult<ClientEvent, undefined>

export class EventIterator implements AsyncIterableIterator<ClientEvent, undefined> {
  readonly #onStop: () => void
  readonly #waiting: ClientEvent[] = []
  readonly #readers: ((result: Result) => void)[] = []
  #isEnded = false
  #overflow: Failure | undefined

  /** `onStop`: nobody reads any more, or it was ended; called once. */
  constructor(onStop: () => void) {
    this.#onStop = onStop
  }

  push(event: ClientEvent): void {
    if (this.#isEnded) return
    const reader = this.#readers.shift()
    if (reader !== undefined) reader({ done: false, value: event })
    else if (this.#waiting.push(event) > unreadEventsMax) this.#overflowed()
  }

  /** What came until now can still be read. */
  end(): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#onStop()
    for (const reader of this.#readers.splice(0)) reader({ done: true, value: undefined })
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** Rejects once with a `usage` failure when events were left unread until there were too many. */
  async next(): Promise<Result> {
    const overflow = this.#overflow
    this.#overflow = undefined
    if (overflow !== undefined) throw overflow
    const value = this.#waiting.shift()
    if (value !== undefined) return { done: false, value }
    if (this.#isEnded) return { done: true, value: undefined }
    return new Promise((resolve) => this.#readers.push(resolve))
  }

  async return(): Promise<Result> {
    this.#waiting.length = 0
    this.end()
    return { done: true, value: undefined }
  }

  #overflowed(): void {
    this.#overflow = new Failure(
      'usage',
      `${unreadEventsMax} events were not read; read them as they come, or leave the loop`,
    )
    this.#waiting.length = 0
    this.end()
  }
}
