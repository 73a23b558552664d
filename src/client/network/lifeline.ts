// Asks the other end of one connection whether it is still there, and closes the connection when nothing comes back.

import { Failure } from '../../common/failure.ts'
import type { Channel } from '../../common/wire/channel.ts'

/** A connection that this client opened. */
export interface LifelineParts {
  readonly channel: Pick<Channel, 'lastHeardAtMs' | 'localHost' | 'isPausedFor'>
  /** Rejects with a failure when no answer comes in time. */
  readonly ping: (timeoutMs: number) => Promise<unknown>
  readonly close: (why: string) => void
}

export class Lifeline {
  readonly #parts: LifelineParts
  #isAsking = false

  constructor(parts: LifelineParts) {
    this.#parts = parts
  }

  get localHost(): string | undefined {
    return this.#parts.channel.localHost
  }

  close(why: string): void {
    this.#parts.close(why)
  }

  /**
   * Resolves to false when it closed the connection: no answer came within so many milliseconds, nor any byte later than
   * `laterByMs` from now. The answer to a ping comes after the rest of a piece, which may take longer.
   */
  async ask(withinMs: number, laterByMs = 0): Promise<boolean> {
    if (this.#isAsking) return true
    this.#isAsking = true
    const { channel, ping, close } = this.#parts
    const fromMs = performance.now() + laterByMs
    try {
      await ping(withinMs)
      return true
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      // A download limit keeps this end from reading.
      if (channel.lastHeardAtMs > fromMs || channel.isPausedFor('limit')) return true
      close('it does not answer')
      return false
    } finally {
      this.#isAsking = false
    }
  }
}
