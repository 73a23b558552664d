// How many commands go into one append. They are applied in one go, and a ping waits behind it: where commands take
// long to apply, or many people are told of them, fewer go together.

import { appendCommandsMax } from './limits.ts'

const targetMs = 6
/** A commit for fewer would cost more than it spares a ping. */
const commandsMin = 8

export class BatchSize {
  #max = appendCommandsMax
  #commands = 0
  /** What it took to apply, since the last batch. */
  #tookMs = 0

  /** Commands in the next append, at most. */
  get max(): number {
    return this.#max
  }

  onBatch(commands: number): void {
    const affordable = this.#tookMs === 0 ? Infinity : Math.floor((this.#commands * targetMs) / this.#tookMs)
    const allowed = Math.min(2 * this.#max, affordable)
    this.#max = Math.max(commandsMin, Math.min(appendCommandsMax, allowed))
    this.#commands = commands
    this.#tookMs = 0
  }

  onApplied(ms: number): void {
    this.#tookMs += ms
  }
}
