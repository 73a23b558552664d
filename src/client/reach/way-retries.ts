// Says when to try again for a better way to peers that are reached by a relay: after growing pauses, and soon after the
// network has changed or trackers name another place of the peer. For all downloads of a client together, so that neither
// many peers nor many files of one peer make a burst of calls.

import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { NetworkChanges } from '../network/network-changes.ts'

/** One attempt; call one of both when it is over. */
export interface WayRetry {
  /** What else this client has from the peer may go that way too. */
  readonly onOpened: () => void
  readonly onFailed: () => void
}

export interface WayRetriesParts {
  readonly changes: Pick<NetworkChanges, 'attempts'>
  /** Milliseconds, from any start. */
  readonly nowMs?: () => number
  /** From 0 to 1. */
  readonly random?: () => number
}

/** A peer that is reached by a relay at present. */
interface Relayed {
  /** Its places, as far as trackers have named them. */
  readonly places: Set<string>
  pauseMs: number
  dueAtMs: number
  triedAtMs: number
  /** When somebody last wanted a better way to it. */
  wantedAtMs: number
  isTrying: boolean
}

/** An attempt makes the other client and its router dial too. */
export const retriesAtOnce = 4
/** A tracker passes on 120 calls of a user in a minute: half of them are for this. */
export const retryEveryMs = 1000
/** The ladder has just been climbed in vain when a relay is used. */
export const firstPauseMs = 30_000
export const longestPauseMs = 10 * 60_000
/** Each pause is longer or shorter by up to this part: two that are relayed to each other must not always dial at once. */
const jitter = 0.25
/** After news the connections to the trackers, of both ends, need a moment to be there again. */
const soonMs = { least: 1000, most: 3000 }
/** However much news there is. */
export const leastPauseMs = 10_000
/** Whoever wants a better way asks several times a second. */
const forgottenAfterMs = 5000
const peersMax = 1000
/** Of one peer; a tracker may see it at any number of them. */
const placesMax = 16

export class WayRetries {
  readonly #changes: WayRetriesParts['changes']
  readonly #nowMs: () => number
  readonly #random: () => number
  /** By key. */
  readonly #relayed = new Map<string, Relayed>()
  /** There is another one after each change of the network. */
  #attempts: AbortSignal
  #trying = 0
  #beganAtMs = Number.NEGATIVE_INFINITY

  constructor({ changes, nowMs = () => performance.now(), random = Math.random }: WayRetriesParts) {
    this.#changes = changes
    this.#nowMs = nowMs
    this.#random = random
    this.#attempts = changes.attempts
  }

  /**
   * Call it several times a second for each peer that is reached by a relay, with the places that trackers name. An attempt
   * that is to be made now; mostly undefined.
   */
  take(key: string, places: readonly Peer[]): WayRetry | undefined {
    const nowMs = this.#nowMs()
    this.#lookAtNetwork(nowMs)
    const relayed = this.#of(key, nowMs)
    if (relayed === undefined) return undefined
    if (learn(relayed.places, places)) this.#soon(relayed, nowMs)
    if (relayed.isTrying || nowMs < relayed.dueAtMs) return undefined
    if (this.#trying >= retriesAtOnce || nowMs - this.#beganAtMs < retryEveryMs) return undefined
    return this.#begin(relayed, nowMs)
  }

  /** A way to that peer has become free which only one connection can have. */
  onFree(key: string): void {
    const relayed = this.#relayed.get(key)
    if (relayed !== undefined) this.#soon(relayed, this.#nowMs())
  }

  #begin(relayed: Relayed, nowMs: number): WayRetry {
    this.#trying++
    this.#beganAtMs = nowMs
    relayed.isTrying = true
    relayed.triedAtMs = nowMs
    // News that comes meanwhile brings it forward.
    this.#pause(relayed, nowMs)
    const once = (end: () => void) => (): void => {
      if (!relayed.isTrying) return
      relayed.isTrying = false
      this.#trying--
      end()
    }
    return {
      onOpened: once(() => this.#soon(relayed, this.#nowMs())),
      onFailed: once(() => undefined),
    }
  }

  #pause(relayed: Relayed, nowMs: number): void {
    relayed.dueAtMs = nowMs + relayed.pauseMs * (1 + jitter * (2 * this.#random() - 1))
    relayed.pauseMs = Math.min(longestPauseMs, 2 * relayed.pauseMs)
  }

  #soon(relayed: Relayed, nowMs: number): void {
    const afterMs = soonMs.least + (soonMs.most - soonMs.least) * this.#random()
    const soonestMs = Math.max(nowMs + afterMs, relayed.triedAtMs + leastPauseMs)
    relayed.dueAtMs = Math.min(relayed.dueAtMs, soonestMs)
    relayed.pauseMs = firstPauseMs
  }

  #lookAtNetwork(nowMs: number): void {
    const { attempts } = this.#changes
    if (attempts === this.#attempts) return
    this.#attempts = attempts
    for (const relayed of this.#relayed.values()) {
      // Nobody has asked while the machine slept.
      relayed.wantedAtMs = nowMs
      this.#soon(relayed, nowMs)
    }
  }

  /** Undefined when so many are known that this one has to wait. */
  #of(key: string, nowMs: number): Relayed | undefined {
    const known = this.#relayed.get(key)
    if (known !== undefined && (known.isTrying || nowMs - known.wantedAtMs < forgottenAfterMs)) {
      known.wantedAtMs = nowMs
      return known
    }
    if (known === undefined && this.#relayed.size >= peersMax && !this.#makeRoom(nowMs)) return undefined
    const relayed = {
      places: new Set<string>(),
      pauseMs: firstPauseMs,
      dueAtMs: 0,
      triedAtMs: Number.NEGATIVE_INFINITY,
      wantedAtMs: nowMs,
      isTrying: false,
    }
    this.#pause(relayed, nowMs)
    this.#relayed.set(key, relayed)
    return relayed
  }

  #makeRoom(nowMs: number): boolean {
    for (const [key, { wantedAtMs, isTrying }] of this.#relayed)
      if (!isTrying && nowMs - wantedAtMs >= forgottenAfterMs) this.#relayed.delete(key)
    return this.#relayed.size < peersMax
  }
}

/** Whether any of the places is another one than those that were known. */
function learn(known: Set<string>, places: readonly Peer[]): boolean {
  const isFirst = known.size === 0
  let isNews = false
  for (const { host, port, reachable, mapped } of places) {
    const place = `${host} ${port} ${reachable} ${mapped}`
    if (known.has(place)) continue
    if (known.size >= placesMax) known.clear()
    known.add(place)
    isNews = !isFirst
  }
  return isNews
}
