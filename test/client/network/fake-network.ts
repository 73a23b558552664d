// A machine whose addresses and clock are what a test says.

import { vi } from 'vitest'
import { lookEveryMs, type NetworkSource } from '../../../src/client/network/network-watch.ts'

export class FakeNetwork implements NetworkSource {
  readonly hosts = new Set(['192.168.0.5', 'fd00::5'])
  #nowMs = 1_700_000_000_000

  addresses(): Iterable<string> {
    return [...this.hosts]
  }

  nowMs(): number {
    return this.#nowMs
  }

  move(from: string, to: string): void {
    this.hosts.delete(from)
    this.hosts.add(to)
  }

  /** Lets the program look once more, which comes so much too late. Needs fake intervals. */
  look(lateByMs = 0): void {
    this.#nowMs += lookEveryMs + lateByMs
    vi.advanceTimersByTime(lookEveryMs)
  }
}
