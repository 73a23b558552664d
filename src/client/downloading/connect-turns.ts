// Turns to open connections to peers, over all downloads of a client: few begin at once, and one that hangs
// does not keep others from theirs.

import pLimit from 'p-limit'

/** Connections that are being opened and are younger than a turn. */
export const connectsAtOnce = 16
/** Connections that are being opened, however long that takes. */
const connectsMax = 64
/** After this long the turn passes on, and the connection goes on being opened beside the others. */
const turnMs = 1000

export class ConnectTurns {
  readonly #turns = pLimit(connectsAtOnce)
  readonly #all = pLimit(connectsMax)

  /** Settles as `connect` does. `onTurnOver` is called when the next one may begin, at the end at the latest. */
  run<T>(connect: () => Promise<T>, onTurnOver: () => void = () => undefined): Promise<T> {
    return this.#all(async () => {
      // In an object: a promise that is returned would be waited for.
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
