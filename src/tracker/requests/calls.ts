// Calls between clients: one asks another to come to it, since it does not get there. Tells each where the other may be
// found, by what this tracker has seen itself.

import type { Params, Result } from '../../common/wire/methods.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { Login } from '../presence/login.ts'
import { noticeOf } from '../presence/news.ts'
import { groupFor } from '../state/authorization.ts'
import { answerOf } from './sentences.ts'
import type { HandlersOf, Services } from './services.ts'
import type { Requester } from './requester.ts'

type Called = Result<TrackerProtocol, 'call_peer'>

export function callHandlers(services: Services): HandlersOf<'call_peer'> {
  return { call_peer: (params, from) => callPeer(services, params, from) }
}

function callPeer(
  { sequencer, presence }: Services,
  { group, user, key, token }: Params<TrackerProtocol, 'call_peer'>,
  from: Requester,
): Answer<Called> {
  const { state } = sequencer
  const own = groupFor(state, 'call_peer', group, state.accounts.get(from.user))
  if (!own.ok) return answerOf(own)
  const isMember = groupFor(state, 'call_peer', group, state.accounts.get(user)).ok
  const other = [...presence.loginsOf(user)].find((login) => login.key === key)
  if (!isMember || other === undefined)
    return refuse('unavailable', `${user} is not connected to this tracker with that key`)
  if (!other.takesCalls) return refuse('unavailable', `the program of ${user} is too old to be called`)
  const { login } = from
  const about = { group, user: login.user, key: login.key, token }
  other.news.tell(noticeOf('peer_calls', `${login.key} ${token}`, { ...about, ...waysTo(login, other) }))
  return accept(waysTo(other, login))
}

/** Where `other` may find `login`. */
function waysTo(login: Login, other: Login): Called {
  const { host, port, outside, local, reachable } = login
  return {
    host,
    port,
    outside,
    ...(reachable !== undefined && { reachable }),
    ...(outside.host === other.outside.host && local.length > 0 && { local: [...local] }),
  }
}
