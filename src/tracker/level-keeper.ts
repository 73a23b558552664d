// Raises the level of the state when all trackers of the community can follow, and logs which ones hold it up.

import type { Logger } from 'pino'
import type { AppliedEntry, Sequencer } from './sequencer.ts'
import { commonLevel } from './state/trackers.ts'

export class LevelKeeper {
  readonly #sequencer: Sequencer
  readonly #level: number
  readonly #log: Logger
  #isServing = false

  /** `level`: the newest that this program can follow. */
  constructor(sequencer: Sequencer, level: number, log: Logger) {
    this.#sequencer = sequencer
    this.#level = level
    this.#log = log
  }

  /** Call when the log was read and this tracker is in it. Resolves when the level is raised, if it can be. */
  async start(): Promise<void> {
    this.#isServing = true
    await this.#raise()
    const { state } = this.#sequencer
    if (state.level < this.#level) this.#log.warn(this.#whoIsWaitedFor())
  }

  onApplied({ command }: AppliedEntry): void {
    if (!this.#isServing) return
    if (command.kind === 'tracker_started' || command.kind === 'revoke_tracker') void this.#raise()
    if (command.kind === 'raise_level') this.#log.info({ level: command.level }, 'the state has a new level')
  }

  async #raise(): Promise<void> {
    const { state } = this.#sequencer
    const level = Math.min(commonLevel(state), this.#level)
    if (level > state.level) await this.#sequencer.submit({ kind: 'raise_level', level })
  }

  #whoIsWaitedFor(): string {
    const { state } = this.#sequencer
    const old = Array.from(state.trackers)
      .filter(([, { level }]) => level < this.#level)
      .map(([key, { number }]) => (number === undefined ? key : String(number)))
    return `the community stays at level ${state.level} until all its trackers are updated; waiting for ${old.length === 1 ? 'tracker' : 'trackers'} ${old.join(', ')}; if one is gone for good, use revoke_tracker at the console`
  }
}
