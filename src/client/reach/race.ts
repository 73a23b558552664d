// Tries several ways to the same thing: some at once, some later, and the first that succeeds is taken.

import { setMaxListeners } from 'node:events'
import { Failure } from '../../common/failure.ts'

export interface Runner<T> {
  readonly name: string
  /** Rejects with a failure when it leads nowhere, and soon after the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<T>
}

/** What a race came to nothing for: each runner and its failure. */
export interface Fallen {
  readonly name: string
  readonly failure: Failure
}

export class Race<T> {
  readonly #onLate: (late: T) => void
  readonly #signal: AbortController = new AbortController()
  readonly #fallen: Fallen[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #started = new Set<string>()
  readonly #running = new Set<Runner<T>>()
  #isOver = false
  #resolve: (won: T | undefined) => void = () => {}
  #reject: (bug: unknown) => void = () => {}
  readonly #result: Promise<T | undefined>

  /** `onLate`: what came when another one had won; close it. */
  constructor(onLate: (late: T) => void) {
    this.#onLate = onLate
    // One or two listeners for each runner.
    setMaxListeners(0, this.#signal.signal)
    this.#result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get signal(): AbortSignal {
    return this.#signal.signal
  }

  /** Resolves to the first that comes; to undefined once nothing runs or waits any more. */
  get result(): Promise<T | undefined> {
    return this.#result
  }

  /** Whether somebody of this name has started. */
  hasStarted(name: string): boolean {
    return this.#started.has(name)
  }

  /** Those that led nowhere so far, in that order. */
  get fallen(): readonly Fallen[] {
    return this.#fallen
  }

  /** Whether somebody of this name was still trying when the race ended, or is now. */
  isRunning(name: string): boolean {
    return [...this.#running].some((runner) => runner.name === name)
  }

  /** Ends it without a winner. */
  stop(): void {
    this.#end(undefined)
  }

  start(runner: Runner<T>): void {
    const { name, run } = runner
    if (this.#isOver) return
    this.#started.add(name)
    this.#running.add(runner)
    run(this.signal).then(
      (came) => {
        this.#running.delete(runner)
        if (this.#isOver) this.#onLate(came)
        else this.#end(came)
      },
      (error: unknown) => {
        this.#running.delete(runner)
        if (!(error instanceof Failure)) {
          this.#reject(error)
          this.stop()
          return
        }
        if (this.#isOver) return
        this.#fallen.push({ name, failure: error })
        this.#endIfEmpty()
      },
    )
  }

  /** Calls `begin` after so many milliseconds, unless the race is over; it may start more. */
  later(ms: number, begin: () => void): void {
    if (this.#isOver) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      begin()
      this.#endIfEmpty()
    }, ms)
    this.#timers.add(timer)
  }

  #endIfEmpty(): void {
    if (this.#running.size === 0 && this.#timers.size === 0) this.stop()
  }

  #end(result: T | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#resolve(result)
    this.#signal.abort(new Failure('connection-lost', 'it is not needed any more'))
  }
}
