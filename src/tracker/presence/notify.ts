// Turns the effects of applied commands into notifications for logins, and keeps presence in step: nobody stays
// listed for a file that is gone, or in a group that they left.

import type { Effect } from '../state/effects.ts'
import { noticeOf } from './news.ts'
import type { Presence } from './presence.ts'
import { fileKey, versionKey } from './swarm.ts'

/** `position`: of the command in the log. */
export function notify(presence: Presence, effect: Effect, position: number): void {
  switch (effect.kind) {
    case 'trackers_changed':
      return presence.tellAll(noticeOf('trackers_changed', '', { trackers: [...effect.trackers] }))
    case 'join_requested': {
      const { group, user, owner } = effect
      return presence.tell(owner, noticeOf('join_requested', `${group} ${user}`, { group, user }))
    }
    case 'request_decided': {
      const { group, user, accepted } = effect
      return presence.tell(user, noticeOf('request_decided', group, { group, accepted }))
    }
    case 'member_left':
      return onMemberLeft(presence, effect, position)
    case 'owner_changed': {
      const { group, owner } = effect
      return presence.tell(owner, noticeOf('owner_changed', group, { group, owner }))
    }
    case 'share_withdrawn':
      return onShareWithdrawn(presence, effect)
    case 'file_gone':
      return onFileGone(presence, effect)
    case 'entry_changed':
      return onEntryChanged(presence, effect, position)
    case 'logins_ended':
      return onLoginsEnded(presence, effect)
    default:
      return effect satisfies never
  }
}

function onMemberLeft(presence: Presence, effect: Effect & { kind: 'member_left' }, position: number): void {
  const { group, user, members } = effect
  presence.dropFromGroup(user, group)
  const left = noticeOf('member_left', `${group} ${user}`, { group, user, position })
  presence.tell(user, left)
  for (const { name } of members) presence.tell(name, left)
}

/** Retracts complete copies only: another machine of the same user may be downloading this very file. */
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

function onEntryChanged(
  { followers }: Presence,
  { entry }: Effect & { kind: 'entry_changed' },
  position: number,
): void {
  if (!followers.has(entry.group)) return
  const about = fileKey(entry.group, entry.name)
  followers.tell(entry.group, noticeOf('entry_changed', about, { ...entry, position }))
}

function onLoginsEnded(presence: Presence, effect: Effect & { kind: 'logins_ended' }): void {
  const { user, account, epoch, spared, why } = effect
  // A copy: each that ends leaves the list.
  for (const login of [...presence.loginsOf(user)]) {
    if (login.account !== account) continue
    if (login.key === spared) {
      login.epoch = epoch
      continue
    }
    presence.onLogout(login)
    login.end(
      why === 'password-changed'
        ? `the password of ${user} was changed; log in again`
        : `the account ${user} was deleted`,
    )
  }
}
