// Turns the effects of applied commands into what those who are logged in are told, and keeps presence in step:
// nobody stays listed for a file that is gone, or in a group that it left.

import type { Effect } from '../state/effects.ts'
import { noticeOf } from './news.ts'
import type { Presence } from './presence.ts'
import { versionKey } from './swarm.ts'

/** `position`: of the command in the log. */
export function notify(presence: Presence, effect: Effect, position: number): void {
  switch (effect.kind) {
    case 'trackers_changed':
      presence.tellAll(noticeOf('trackers_changed', '', { trackers: [...effect.trackers] }))
      return
    case 'join_requested': {
      const { group, user, owner } = effect
      presence.tell(owner, noticeOf('join_requested', `${group} ${user}`, { group, user }))
      return
    }
    case 'request_decided': {
      const { group, user, accepted } = effect
      presence.tell(user, noticeOf('request_decided', group, { group, accepted }))
      return
    }
    case 'member_left':
      onMemberLeft(presence, effect, position)
      return
    case 'owner_changed': {
      const { group, owner } = effect
      presence.tell(owner, noticeOf('owner_changed', group, { group, owner }))
      return
    }
    case 'share_withdrawn':
      onShareWithdrawn(presence, effect)
      return
    case 'file_gone':
      onFileGone(presence, effect)
      return
  }
}

function onMemberLeft(presence: Presence, effect: Effect & { kind: 'member_left' }, position: number): void {
  const { group, user, members } = effect
  presence.dropFromGroup(user, group)
  const left = noticeOf('member_left', `${group} ${user}`, { group, user, position })
  presence.tell(user, left)
  for (const { name } of members) presence.tell(name, left)
}

/** Only complete copies: another machine of the same user may be downloading this very file. */
function onShareWithdrawn(presence: Presence, effect: Effect & { kind: 'share_withdrawn' }): void {
  const { version, user } = effect
  for (const login of presence.loginsOf(user)) {
    if (presence.isSeeder(login, version)) presence.retract(login, version)
  }
  // It may have been withdrawn from another machine of this user.
  presence.tell(user, noticeOf('file_gone', versionKey(version), version))
}

function onFileGone(presence: Presence, effect: Effect & { kind: 'file_gone' }): void {
  const { version, sharers } = effect
  const concerned = presence.dropSwarm(version)
  for (const user of sharers) {
    for (const login of presence.loginsOf(user)) concerned.add(login)
  }
  const notice = noticeOf('file_gone', versionKey(version), version)
  for (const login of concerned) login.news.tell(notice)
}
