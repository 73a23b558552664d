// Limits how many connections to peers are opened at once, across all downloads of a client. An attempt that
// hangs loses its turn, so that it does not block the others.

import type { Priority } from '../operations.ts'
import { RankedLimit } from './ranked-limit.ts'

/** The most connection attempts that hold a turn. */
export const connectsAtOnce = 16
/** The most connection attempts in total, however long they take. */
const connectsMax = 64
/** After this time an attempt loses its turn and continues alongside the others. */
const turnMs = 1000

export class ConnectTurns {
  readonly #turns = new RankedLimit(connectsAtOnce)
  readonly #all = new RankedLimit(connectsMax)

  /** The same turns, for a download of this priority. */
  of(priority: () => Priority): Pick<ConnectTurns, 'run'> {
    return { run: (connect, onTurnOver) => this.run(connect, onTurnOver, priority()) }
  }

  /**
   * Settles as `connect` does. Calls `onTurnOver` when the next attempt may begin, at the latest when this
   * one ends.
   */
  run<T>(
    connect: () => Promise<T>,
    onTurnOver: () => void = () => undefined,
    priority: Priority = 'normal',
  ): Promise<T> {
    return this.#all.run(priority, async () => {
      // Wrapped in an object, because an async function would await a returned promise.
      const { opening } = await this.#turns.run(priority, async () => {
        const begun = connect()
        await settledOrLate(begun)
        return { opening: begun }
      })
      onTurnOver()
      return opening
    })
  }
}

/** Resolves when the promise settles, after `turnMs` at the latest. */
function settledOrLate(promise: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, turnMs)
    const onSettled = (): void => {
      clearTimeout(timer)
      resolve()
    }
    promise.then(onSettled, onSettled)
  })
}
