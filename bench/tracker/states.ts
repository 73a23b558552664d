// The states that trackers are measured with, as the commands that lead to them. `writeLog` gives each command its
// id. Every account has the password of `TrackerUser`.

import { createHash } from 'node:crypto'
import type { Credentials } from '../../src/common/security/scram.ts'
import type { Command } from '../../src/tracker/state/commands.ts'

const usersPerGroup = 20
const filesPerUser = 6
const id = ''
export const fileId = 'ab'.repeat(32)
export const sizeBytes = 3_000_000

/** The owner of the n-th group of `communities`. */
export function ownerOfCommunity(community: number): string {
  return userOf(community, 0)
}

/** Commands of `communities` for each of its groups, and users that are in it to the end: the last one leaves. */
export const commandsOfCommunity =
  usersPerGroup + 1 + 2 * (usersPerGroup - 1) + usersPerGroup * filesPerUser + 1
export const stayingInCommunity = usersPerGroup - 1

/** One of those that stay in a group of `communities`. */
export interface Member {
  readonly user: string
  readonly group: string
  /** All of its files there, and names of files of others. */
  readonly files: readonly { readonly group: string; readonly name: string; readonly fileId: string }[]
  readonly filesOfOthers: readonly string[]
}

/** The n-th of all members that stay, counted from 0: those of the first group come first. */
export function memberOf(index: number): Member {
  const community = Math.floor(index / stayingInCommunity)
  const group = groupOf(community)
  const place = index % stayingInCommunity
  const names = (by: number): string[] =>
    Array.from({ length: filesPerUser }, (_, file) => fileNameOf(userOf(community, by), file))
  const files = names(place).map((name) => ({ group, name, fileId: versionOf(community, name) }))
  const others = Array.from({ length: stayingInCommunity }, (_, by) => by).filter((by) => by !== place)
  return { user: userOf(community, place), group, files, filesOfOthers: others.flatMap(names) }
}

function userOf(community: number, index: number): string {
  return `user-${community}-${index}`
}

function groupOf(community: number): string {
  return `group-${community}`
}

function fileNameOf(user: string, index: number): string {
  return `holiday ${user} ${index}.jpg`
}

function versionOf(community: number, name: string): string {
  return createHash('sha256').update(`${community} ${name}`).digest('hex')
}

/**
 * Yields `count` commands as real communities make them, group by group: 20 accounts, 1 creation, 38 to join and
 * accept, 120 shares, 1 to leave.
 */
export function* communities(count: number, credentials: Credentials): Generator<Command> {
  let made = 0
  for (let community = 0; ; community++) {
    for (const command of oneCommunity(community, credentials)) {
      if (made++ === count) return
      yield command
    }
  }
}

function* oneCommunity(community: number, credentials: Credentials): Generator<Command> {
  const group = groupOf(community)
  const owner = ownerOfCommunity(community)
  const names = Array.from({ length: usersPerGroup }, (_, index) => userOf(community, index))
  for (const user of names) yield { kind: 'register', id, user, credentials }
  yield { kind: 'create_group', id, by: owner, group }
  for (const by of names.slice(1)) yield* join(group, owner, by)
  for (const by of names) {
    for (let index = 0; index < filesPerUser; index++) {
      const name = fileNameOf(by, index)
      yield { kind: 'share_file', id, by, group, name, fileId: versionOf(community, name), sizeBytes }
    }
  }
  yield { kind: 'leave_group', id, by: names.at(-1) ?? owner, group }
}

/** A numbered name; names sort in the order of their numbers. */
export function nameOf(what: string, index: number): string {
  return `${what}-${String(index).padStart(7, '0')}`
}

/** One group, `crowd`: an owner who shares `film.mkv`, and `members` other members. */
export function* crowd(owner: string, members: number, credentials: Credentials): Generator<Command> {
  const group = 'crowd'
  yield { kind: 'register', id, user: owner, credentials }
  yield { kind: 'create_group', id, by: owner, group }
  yield { kind: 'share_file', id, by: owner, group, name: 'film.mkv', fileId, sizeBytes }
  for (let index = 0; index < members; index++) {
    const user = nameOf('user', index)
    yield { kind: 'register', id, user, credentials }
    yield* join(group, owner, user)
  }
}

/** Accounts that own and share together, because quotas bound what one account can. */
const owners = Array.from({ length: 200 }, (_, index) => nameOf('owner', index))
const sharers = owners.slice(0, 10)

/** This many groups, named by `nameOf('group', …)`, and the accounts that own them. */
export function* ownedGroups(groups: number, credentials: Credentials): Generator<Command> {
  for (const user of owners) yield { kind: 'register', id, user, credentials }
  for (let index = 0; index < groups; index++) {
    const by = owners[index % owners.length] ?? ''
    yield { kind: 'create_group', id, by, group: nameOf('group', index) }
  }
}

/** Follows `ownedGroups`: this many files, named by `nameOf('file', …)`, in a new group of this owner. */
export function* filesIn(group: string, owner: string, files: number): Generator<Command> {
  yield { kind: 'create_group', id, by: owner, group }
  for (const by of sharers) yield* join(group, owner, by)
  for (let index = 0; index < files; index++) {
    const by = sharers[index % sharers.length] ?? ''
    yield { kind: 'share_file', id, by, group, name: nameOf('file', index), fileId, sizeBytes }
  }
}

export function* account(user: string, credentials: Credentials): Generator<Command> {
  yield { kind: 'register', id, user, credentials }
}

function* join(group: string, owner: string, by: string): Generator<Command> {
  yield { kind: 'join_group', id, by, group }
  yield { kind: 'accept_request', id, by: owner, group, user: by }
}
