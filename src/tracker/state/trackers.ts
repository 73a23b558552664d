// Rules for trackers, and for what their operators decide: levels and quotas.

import { trackerKeysMax } from '../../common/limits.ts'
import type { RaiseLevel, RevokeTracker, SetQuota, TrackerStarted } from './commands.ts'
import type { Effect } from './effects.ts'
import { no, type Decision } from './outcomes.ts'
import { defaultQuotas } from './quotas.ts'
import { remember } from './remembered.ts'
import type { Shelves } from './shelves.ts'
import type { State } from './state.ts'

/** Of several trackers that start on an empty log at the same moment, the first in the log names the community. */
export function trackerStarted(state: State, command: TrackerStarted, effects: Effect[]): Decision {
  return () => {
    if (state.community === '') {
      state.community = command.cluster
      state.secret = command.secret
    }
    const isNew = !state.trackers.has(command.key)
    state.trackers.set(command.key, { level: command.level ?? 1, number: command.number })
    if (!isNew) return
    // A Map iterates in the order of insertion, so the first key is the oldest.
    const [oldest = ''] = state.trackers.keys()
    if (state.trackers.size > trackerKeysMax) state.trackers.delete(oldest)
    effects.push({ kind: 'trackers_changed', trackers: [...state.trackers.keys()] })
  }
}

/** Its tickets become invalid, and nobody waits for it. It comes back when it starts again, if it has its key. */
export function revokeTracker(state: State, { key }: RevokeTracker, effects: Effect[]): Decision {
  if (!state.trackers.has(key)) return no('no-such-tracker', key)
  if (state.trackers.size === 1) return no('last-tracker')
  return () => {
    state.trackers.delete(key)
    effects.push({ kind: 'trackers_changed', trackers: [...state.trackers.keys()] })
  }
}

export function setQuota(state: State, { quota, value }: SetQuota): Decision {
  return () => {
    state.quotas = { ...state.quotas, [quota]: value }
  }
}

/** The level up to which all trackers of the community can follow. */
export function commonLevel(state: State): number {
  return Math.min(...Array.from(state.trackers.values(), ({ level }) => level))
}

/** From here on the rules of this level hold. Several trackers may append it. */
export function raiseLevel(state: State, { level }: RaiseLevel): Decision {
  return () => {
    if (state.level < 2 && level >= 2) enterLevel2(state)
    state.level = Math.max(state.level, level)
  }
}

/**
 * Renumbers everything in an order that all trackers share: one that read the whole log has other numbers than one
 * that began with a snapshot, which had none. From here on, retries are known by account.
 */
function enterLevel2(state: State): void {
  state.quotas = defaultQuotas
  // All trackers have numbered accounts in the order of registration. Groups and entries are numbered by name.
  let group = 1
  let entry = 1
  for (const [, each] of state.groups.entries()) {
    renumber(each, group++)
    for (const [, one] of each.entries.entries()) renumber(one, entry++)
  }
  refill(state.shelves.groups, state.groups.values(), group, state.position)
  const entries = [...state.groups.values()].flatMap((each) => each.entries.valuesArray())
  refill(state.shelves.entries, entries, entry, state.position)
  for (const account of state.accounts.values()) state.shelves.accounts.touch(account, state.position)
  for (const [key, outcome] of state.outcomes) {
    const [user = '', id = ''] = key.split(' ')
    const account = state.accounts.get(user)
    // A snapshot of level 1 has sentences instead of reasons, so not every tracker knows the reasons.
    if (account !== undefined) remember(account, id, outcome.ok ? outcome : no('was-refused'), 0)
  }
  state.outcomes.clear()
}

function renumber(thing: { readonly id: number }, id: number): void {
  ;(thing as { id: number }).id = id
}

function refill<T extends { readonly id: number }>(
  shelves: Shelves<T>,
  things: Iterable<T>,
  nextId: number,
  position: number,
): void {
  shelves.clear()
  for (const thing of things) {
    shelves.put(thing)
    shelves.touch(thing, position)
  }
  shelves.nextId = nextId
}
