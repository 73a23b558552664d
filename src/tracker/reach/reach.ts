// All by which this tracker helps clients to come to each other: calls, looks from outside, and forwarding.

import type { Address } from '../../common/addresses.ts'
import { Relay } from '../../common/wire/relay.ts'
import type { Presence } from '../presence/presence.ts'
import { CallPace } from './call-pace.ts'
import { OwnPlace } from './own-place.ts'
import { Probes } from './probes.ts'
import { Relays } from './relays.ts'

export interface ReachParts {
  readonly presence: Presence
  /** What to forward; undefined for nothing. */
  readonly relay?: { readonly bytesPerSecond: number | undefined } | undefined
  /** See `OwnPlaceParts`. */
  readonly reachedAt?: Address | undefined
  /** See `ProbesParts`. */
  readonly isLookedFor?: ((host: string) => boolean) | undefined
  readonly port: () => number
  readonly onTrouble: (sentence: string) => void
}

export class Reach {
  readonly callPace = new CallPace()
  readonly probes: Probes
  /** That of this tracker; undefined when it forwards nothing. */
  readonly relay: Relay | undefined
  readonly relays: Relays
  readonly #place: OwnPlace

  constructor({ presence, relay, reachedAt, isLookedFor, port, onTrouble }: ReachParts) {
    this.probes = new Probes({ nowMs: Date.now, ...(isLookedFor && { isLookedFor }) })
    this.relay = relay === undefined ? undefined : new Relay(relay)
    this.#place = new OwnPlace({ named: relay && reachedAt, port, onTrouble })
    this.relays = new Relays({ presence, own: this.relay, place: this.#place })
  }

  start(): void {
    this.#place.start()
  }

  close(): void {
    this.#place.close()
    this.relay?.close()
  }
}
