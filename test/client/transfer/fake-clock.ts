// A clock that stands still until the test moves it, and runs what is due on the way, in order of time.

import type { Clock } from '../../../src/common/token-bucket.ts'

/** Lets everything run that waits for nothing but its turn. */
export function settle(): Promise<void> {
  return new Promise((resume) => setImmediate(resume))
}

export class FakeClock implements Clock {
  #nowMs = 0
  #due: { atMs: number; run: () => void }[] = []

  nowMs(): number {
    return this.#nowMs
  }

  after(ms: number, run: () => void): void {
    this.#due.push({ atMs: this.#nowMs + ms, run })
    this.#due.sort((a, b) => a.atMs - b.atMs)
  }

  /** Moves to this time. After each timer, whoever it woke runs until it waits again. */
  async runTo(untilMs: number): Promise<void> {
    await settle()
    for (let next = this.#due[0]; next !== undefined && next.atMs <= untilMs; next = this.#due[0]) {
      this.#due.shift()
      this.#nowMs = next.atMs
      next.run()
      await settle()
    }
    this.#nowMs = untilMs
  }
}
