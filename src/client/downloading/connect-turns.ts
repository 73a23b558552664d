// Limits how many connections to peers are opened at once, across all downloads of a client. An attempt that
// hangs loses its turn, so that it does not block the others.

import pLimit from 'p-limit'

/** The most connection attempts that hold a turn. */
export const connectsAtOnce = 16
/** The most connection attempts in total, however long they take. */
const connectsMax = 64
/** After this time an attempt loses its turn and continues alongside the others. */
const turnMs = 1000

export class ConnectTurns {
  readonly #turns = pLimit(connectsAtOnce)
  readonly #all = pLimit(connectsMax)

  /**
   * Settles as `connect` does. Calls `onTurnOver` when the next attempt may begin, at the latest when this
   * one ends.
   */
  run<T>(connect: () => Promise<T>, onTurnOver: () => void = () => undefined): Promise<T> {
    return this.#all(async () => {
      // Wrapped in an object, because an async function would await a returned promise.
      const { opening } = await this.#turns(async () => {
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
