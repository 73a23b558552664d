// What the program does on a signal.

import { exitCodeOf, onHangUp } from '../common/ending.ts'

export class Signals {
  readonly #stop = new AbortController()
  #stoppedBy: NodeJS.Signals | undefined
  #heardInterrupt: (() => void) | undefined

  /** Aborted by the first signal. */
  get stop(): AbortSignal {
    return this.#stop.signal
  }

  /** The first signal; undefined before it. */
  get stoppedBy(): NodeJS.Signals | undefined {
    return this.#stoppedBy
  }

  /** From now on the first signal shuts the program down in order, a second one at once. */
  heed(): void {
    const onSignal = (signal: NodeJS.Signals): void => {
      if (signal === 'SIGINT' && this.#heardInterrupt !== undefined) {
        this.#heardInterrupt()
        return
      }
      // Both the system and the shell may send SIGHUP when a terminal closes.
      if (this.#stoppedBy !== undefined && signal !== 'SIGHUP') process.exit(exitCodeOf(signal))
      this.#stoppedBy ??= signal
      this.#stop.abort()
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, onSignal)
    onHangUp(() => onSignal('SIGHUP'))
  }

  /** A dumb terminal turns Ctrl-C into a signal: calls back instead of ending, until the result is called. */
  onInterrupt(listener: () => void): () => void {
    this.#heardInterrupt = listener
    return () => {
      if (this.#heardInterrupt === listener) this.#heardInterrupt = undefined
    }
  }
}
