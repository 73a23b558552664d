// Calls between clients: one asks another to come to it, since it does not get there. Tells each where the other may be
// found, by what this tracker has seen itself.

import type { Params, Result } from '../../common/wire/methods.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { networkOf } from '../../common/networks.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { Login } from '../presence/login.ts'
import { noticeOf } from '../presence/news.ts'
import { groupFor } from '../state/authorization.ts'
import { answerOf } from './sentences.ts'
import type { HandlersOf, Services } from './services.ts'
import type { Requester } from './requester.ts'

type Called = Result<TrackerProtocol, 'call_peer'>

const tooManyCalls = refuse('busy', 'there were too many calls to other clients; try again in a minute')

export function callHandlers(services: Services): HandlersOf<'call_peer'> {
  return { call_peer: (params, from) => callPeer(services, params, from) }
}

function callPeer(
  { sequencer, presence, reach, nowMs }: Services,
  { group, user, key, token, relay }: Params<TrackerProtocol, 'call_peer'>,
  { login }: Requester,
): Answer<Called> {
  const { state } = sequencer
  const isMember = (name: string): boolean => groupFor(state, 'call_peer', group, state.accounts.get(name)).ok
  const own = groupFor(state, 'call_peer', group, state.accounts.get(login.user))
  if (!own.ok) return answerOf(own)
  // The same answer for whoever is no member: what a group of others does is not told.
  const other = isMember(user) ? loginOf(presence.loginsOf(user), key) : undefined
  if (other === undefined || key === login.key)
    return refuse('unavailable', `${user} is not connected to this tracker with that key`)
  if (!other.takesCalls) return refuse('unavailable', `the program of ${user} is too old to be called`)
  if (!reach.callPace.take(login.user, user, nowMs())) return tooManyCalls
  const between =
    relay === true ? reach.relays.between({ group, caller: login, called: other, isMember }) : undefined
  const called = {
    ...{ group, user: login.user, key: login.key, token },
    ...waysTo(login, other),
    ...(between && { relay: between.forCalled }),
  }
  // One matter for each caller: what a slow reader has not read yet does not grow, and only the latest token is good.
  other.news.tell(noticeOf('peer_calls', login.key, called))
  return accept({ ...waysTo(other, login), ...(between && { relay: between.forCaller }) })
}

/** The latest with this key: an earlier one may be gone without a word. */
function loginOf(logins: Iterable<Login>, key: string): Login | undefined {
  return [...logins].findLast((login) => login.key === key)
}

/** Where `other` may find `login`. */
function waysTo(login: Login, other: Login): Called {
  const { host, port, outside, local, localPort, reachable } = login
  const isNear = networkOf(outside.host) === networkOf(other.outside.host)
  return {
    host,
    port,
    outside,
    ...(reachable !== undefined && { reachable }),
    ...(isNear && local.length > 0 && { local: [...local] }),
    ...(isNear && localPort !== port && { localPort }),
  }
}
