// Turns the effects of applied commands into what connected logins are told, and keeps presence in step:
// nobody stays listed for a file that is gone, or in a group that it left.

import type { Effect } from '../state/effects.ts'
import type { Presence } from './presence.ts'

export function notify(presence: Presence, effect: Effect, nowMs: number): void {
  switch (effect.kind) {
    case 'trackers_changed':
      for (const login of presence.logins) login.tell('trackers_changed', { trackers: [...effect.trackers] })
      return
    case 'join_requested':
      for (const login of presence.loginsOf(effect.owner))
        login.tell('join_requested', { group: effect.group, user: effect.user })
      return
    case 'request_decided':
      for (const login of presence.loginsOf(effect.user))
        login.tell('request_decided', { group: effect.group, accepted: effect.accepted })
      return
    case 'member_left':
      onMemberLeft(presence, effect, nowMs)
      return
    case 'owner_changed':
      for (const login of presence.loginsOf(effect.owner))
        login.tell('owner_changed', { group: effect.group, owner: effect.owner })
      return
    case 'share_withdrawn':
      onShareWithdrawn(presence, effect)
      return
    case 'file_gone':
      onFileGone(presence, effect)
      return
  }
}

function onMemberLeft(presence: Presence, effect: Effect & { kind: 'member_left' }, nowMs: number): void {
  const { group, user, members } = effect
  presence.dropFromGroup(user, group)
  // By the clock that tickets are issued by: every ticket that this tracker issued until now is older.
  const left = { group, user, timeMs: nowMs }
  for (const login of presence.loginsOf(user)) login.tell('member_left', left)
  for (const { name } of members) {
    for (const login of presence.loginsOf(name)) login.tell('member_left', left)
  }
}

/** Only complete copies: another machine of the same user may be downloading this very file. */
function onShareWithdrawn(presence: Presence, effect: Effect & { kind: 'share_withdrawn' }): void {
  const swarm = presence.swarm(effect.version)
  for (const login of presence.loginsOf(effect.user)) {
    if (swarm?.peers.get(login) === true) presence.retract(login, effect.version)
    // It may have been withdrawn from another machine of this user.
    login.tell('file_gone', effect.version)
  }
}

function onFileGone(presence: Presence, effect: Effect & { kind: 'file_gone' }): void {
  const concerned = presence.dropSwarm(effect.version)
  for (const user of effect.sharers) {
    for (const login of presence.loginsOf(user)) concerned.add(login)
  }
  for (const login of concerned) login.tell('file_gone', effect.version)
}
