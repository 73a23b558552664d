// Who forwards between two clients that cannot reach each other: this tracker, or a member of their group who offers it.

import type { Place } from '../../common/protocol/tracker-fields.ts'
import { makeNonce } from '../../common/security/challenge.ts'
import type { Relay } from '../../common/wire/relay.ts'
import type { Login } from '../presence/login.ts'
import { noticeOf } from '../presence/news.ts'
import type { Presence } from '../presence/presence.ts'
import type { OwnPlace } from './own-place.ts'

export interface RelaysParts {
  readonly presence: Pick<Presence, 'relaying'>
  /** That of this tracker; undefined when it forwards nothing. */
  readonly own: Relay | undefined
  readonly place: Pick<OwnPlace, 'placeFor'>
  /** From 0 to below 1. */
  readonly random?: () => number
}

export interface RelayRequest {
  readonly group: string
  readonly caller: Login
  readonly called: Login
  /** Whether a user is in the group. */
  readonly isMember: (user: string) => boolean
}

export interface RelayPoint extends Place {
  readonly token: string
}

/** What each of the two is told. */
export interface Between {
  readonly forCaller: RelayPoint
  readonly forCalled: RelayPoint
}

export class Relays {
  readonly #parts: RelaysParts
  readonly #random: () => number

  constructor(parts: RelaysParts) {
    this.#parts = parts
    this.#random = parts.random ?? Math.random
  }

  /** Undefined when nobody forwards, or too much is forwarded already. */
  between(request: RelayRequest): Between | undefined {
    return this.#here(request) ?? this.#atMember(request)
  }

  #here({ caller, called }: RelayRequest): Between | undefined {
    const { own, place } = this.#parts
    const [callerPlace, calledPlace] = [place.placeFor(caller), place.placeFor(called)]
    if (own === undefined || callerPlace === undefined || calledPlace === undefined) return undefined
    const tokens = [makeNonce(), makeNonce()] as const
    if (!own.expect([caller.user, called.user], tokens)) return undefined
    return {
      forCaller: { ...callerPlace, token: tokens[0] },
      forCalled: { ...calledPlace, token: tokens[1] },
    }
  }

  /** Only where this tracker has come to itself: nobody is sent to a stranger. */
  #atMember({ group, caller, called, isMember }: RelayRequest): Between | undefined {
    const isGood = (login: Login): boolean =>
      login.reachable === true && login.key !== caller.key && login.key !== called.key && isMember(login.user)
    const offers = [...this.#parts.presence.relaying].filter(isGood)
    const chosen = offers[Math.floor(this.#random() * offers.length)]
    if (chosen === undefined) return undefined
    const tokens: [string, string] = [makeNonce(), makeNonce()]
    const users: [string, string] = [caller.user, called.user]
    // Told before the two know of it. What a slow reader has not read yet does not grow with the calls of one client.
    const matter = `${caller.key} ${called.key}`
    chosen.news.tell(noticeOf('relay_for', matter, { group, users, tokens }))
    const { host, port } = chosen
    return { forCaller: { host, port, token: tokens[0] }, forCalled: { host, port, token: tokens[1] } }
  }
}
