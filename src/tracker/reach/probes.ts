// Looks for the clients that log in from outside, and tells each whether others can come to it. Dials nobody's address but
// that from which the client came, so nobody can send this tracker to a stranger.

import { formatAddress, type Address } from '../../common/addresses.ts'
import { isLoopback, networkOf } from '../../common/networks.ts'
import {
  probeGoodForMs,
  probesAtOnce,
  probesOfNetworkMax,
  probesRememberedMax,
  probesWaitingMax,
  probeTimeoutMs,
} from '../limits.ts'
import type { Login } from '../presence/login.ts'
import { noticeOf } from '../presence/news.ts'
import { probe, type Probed } from './probe.ts'

export interface ProbesParts {
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  /** Whether clients at this address are looked for: not at those of this machine, where everybody comes to them. */
  readonly isLookedFor?: (host: string) => boolean
  readonly probe?: (address: Address, timeoutMs: number) => Promise<Probed>
}

/** `reached`: the client was there. `dropped`: too many waited. Otherwise why it was not. */
export const probeOutcomes = ['reached', 'silent', 'other', 'dropped'] as const
export type ProbeOutcome = (typeof probeOutcomes)[number]

interface Waiter {
  readonly login: Login
  readonly ignored: string | undefined
}

/** A look that is under way, or its outcome. */
interface Look {
  readonly address: Address
  readonly waiters: Waiter[]
  found: Probed | undefined
  /** When it was over, in milliseconds since 1970. */
  atMs: number
}

export class Probes {
  readonly #parts: Required<ProbesParts>
  /** By address; those that are over in the order in which they began. */
  readonly #looks = new Map<string, Look>()
  readonly #queue: Look[] = []
  /** Under way and waiting, by network. */
  readonly #ofNetwork = new Map<string, number>()
  readonly #outcomes = new Map<ProbeOutcome, number>(probeOutcomes.map((outcome) => [outcome, 0]))
  #running = 0

  constructor(parts: ProbesParts) {
    this.#parts = { isLookedFor: (host) => !isLoopback(host), probe, ...parts }
  }

  /** How often each outcome was seen. */
  get outcomes(): ReadonlyMap<ProbeOutcome, number> {
    return this.#outcomes
  }

  /** `ignored`: the address that the client advertised and nobody is told. */
  onLogin(login: Login, ignored: string | undefined): void {
    if (!login.takesCalls) return
    const { host } = login.outside
    // Who advertises another address that the operator allows is not looked for at all.
    if (login.host !== host || !this.#parts.isLookedFor(host)) {
      if (ignored !== undefined) tell({ login, ignored }, false)
      return
    }
    this.#forgetOld()
    const name = formatAddress({ host, port: login.port })
    const known = this.#looks.get(name)
    if (known?.found !== undefined) this.#conclude({ login, ignored }, known.found)
    else if (known !== undefined) known.waiters.push({ login, ignored })
    else this.#ask(name, { login, ignored })
  }

  #ask(name: string, waiter: Waiter): void {
    const { outside, port } = waiter.login
    const network = networkOf(outside.host)
    const count = this.#ofNetwork.get(network) ?? 0
    const isTooMany = this.#queue.length >= probesWaitingMax || this.#looks.size >= probesRememberedMax
    if (count >= probesOfNetworkMax || isTooMany) {
      this.#count('dropped')
      if (waiter.ignored !== undefined) tell(waiter, false)
      return
    }
    this.#ofNetwork.set(network, count + 1)
    const look = { address: { host: outside.host, port }, waiters: [waiter], found: undefined, atMs: 0 }
    this.#looks.set(name, look)
    this.#queue.push(look)
    this.#begin()
  }

  #begin(): void {
    while (this.#running < probesAtOnce) {
      const look = this.#queue.shift()
      if (look === undefined) return
      this.#running++
      void this.#parts.probe(look.address, probeTimeoutMs).then((found) => this.#onFound(look, found))
    }
  }

  #onFound(look: Look, found: Probed): void {
    this.#running--
    const network = networkOf(look.address.host)
    const left = (this.#ofNetwork.get(network) ?? 0) - 1
    if (left > 0) this.#ofNetwork.set(network, left)
    else this.#ofNetwork.delete(network)
    look.found = found
    look.atMs = this.#parts.nowMs()
    for (const waiter of look.waiters.splice(0)) this.#conclude(waiter, found)
    this.#begin()
  }

  /** A client that has logged out meanwhile is told nothing: its news has ended. */
  #conclude(waiter: Waiter, found: Probed): void {
    const { login } = waiter
    const outcome = typeof found === 'string' ? found : found.key === login.key ? 'reached' : 'other'
    this.#count(outcome)
    login.reachable = outcome === 'reached'
    tell(waiter, login.reachable, outcome)
  }

  #count(outcome: ProbeOutcome): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1)
  }

  /** They end in about the order in which they began. */
  #forgetOld(): void {
    const nowMs = this.#parts.nowMs()
    for (const [name, { found, atMs }] of this.#looks) {
      if (found === undefined || nowMs - atMs < probeGoodForMs) return
      this.#looks.delete(name)
    }
  }
}

function tell({ login, ignored }: Waiter, reachable: boolean, outcome?: ProbeOutcome): void {
  const { host, port } = login
  const why = whyOf({ host, port }, ignored, outcome)
  login.news.tell(noticeOf('reachability', '', { host, port, reachable, ...(why !== undefined && { why }) }))
}

function whyOf(
  address: Address,
  ignored: string | undefined,
  outcome: ProbeOutcome | undefined,
): string | undefined {
  const place = formatAddress(address)
  if (ignored !== undefined)
    return `others are sent to ${address.host}, where this client comes from; the operator of the tracker can allow ${ignored} by --advertised`
  if (outcome === 'silent')
    return `nobody answers at ${place} from outside; open the port in the firewall, or forward it at the router`
  if (outcome === 'other')
    return `another program answers at ${place}; forward the port to this client, or choose another one`
  return undefined
}
