// Notices that this machine has other addresses than before, and that it, or this program alone, stood still.

import { networkInterfaces } from 'node:os'

export interface NetworkChange {
  /** Addresses that this machine has now and did not have. */
  readonly come: ReadonlySet<string>
  readonly gone: ReadonlySet<string>
  /** The machine slept, or the program was stopped. */
  readonly woke: boolean
}

/** Where a watch looks. */
export interface NetworkSource {
  readonly addresses: () => Iterable<string>
  /** Milliseconds since 1970. A monotonic clock would stand still while the machine sleeps. */
  readonly nowMs: () => number
}

/** One look takes 30 microseconds. */
export const lookEveryMs = 1000
/** A look that comes so much later than it should: no program is that busy. */
const sleptMs = 4000

export const thisMachine: NetworkSource = { addresses: ownAddresses, nowMs: () => Date.now() }

export class NetworkWatch {
  readonly #source: NetworkSource
  readonly #onChange: (change: NetworkChange) => void
  readonly #atFirst: ReadonlySet<string>
  #addresses: ReadonlySet<string>
  #lookedAtMs: number
  #timer: NodeJS.Timeout | undefined

  constructor(onChange: (change: NetworkChange) => void, source = thisMachine) {
    this.#onChange = onChange
    this.#source = source
    this.#addresses = this.#atFirst = new Set(source.addresses())
    this.#lookedAtMs = source.nowMs()
  }

  start(): void {
    this.#lookedAtMs = this.#source.nowMs()
    this.#timer = setInterval(() => this.#look(), lookEveryMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** Whether this machine had the address when the program began, and has it no more. */
  isGone(host: string): boolean {
    return this.#atFirst.has(host) && !this.#addresses.has(host)
  }

  #look(): void {
    const nowMs = this.#source.nowMs()
    const woke = nowMs - this.#lookedAtMs > lookEveryMs + sleptMs
    this.#lookedAtMs = nowMs
    const before = this.#addresses
    const after = new Set(this.#source.addresses())
    this.#addresses = after
    const change = { come: without(after, before), gone: without(before, after), woke }
    if (woke || change.come.size > 0 || change.gone.size > 0) this.#onChange(change)
  }
}

function without(some: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...some].filter((host) => !others.has(host)))
}

/** Those by which others can be reached. Each new container brings one that is good for its own link alone. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flat()
    .flatMap((own) =>
      own === undefined || own.internal || own.address.startsWith('fe80:') ? [] : own.address,
    )
}
