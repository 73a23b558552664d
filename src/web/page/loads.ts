// Asks the client for what the view shows, and puts the answers into the state. An answer that comes when another user,
// group or entry is looked at is dropped.

import type { GroupEntry } from '../../common/protocol/listings.ts'
import type { Ask } from './api.ts'
import type { EntryDetails, GroupDetails, PageState } from './state.ts'
import { withTransfers } from './state.ts'
import type { Store } from './store.ts'

export interface Loads {
  /** What changes all the time: transfers, and how the entry stands that is looked at. */
  live(): Promise<void>
  /** What changes by somebody's deed: lists of groups, members, entries, limits. */
  lists(): Promise<void>
}

export function createLoads(store: Store, ask: Ask): Loads {
  return {
    async live() {
      const { user, route } = store.get()
      if (user === undefined) return
      const entry = route.view === 'entry' ? route : undefined
      await Promise.all([
        loadTransfers(store, ask, user),
        entry === undefined ? undefined : loadEntryView(store, ask, user, entry),
      ])
    },
    async lists() {
      const { user, route } = store.get()
      if (user === undefined) return
      const groups = loadGroups(store, ask, user)
      await Promise.all([
        groups,
        route.view === 'group' || route.view === 'entry'
          ? loadGroup(store, ask, user, route.group, groups)
          : undefined,
        route.view === 'entry' ? loadVersions(store, ask, user, route) : undefined,
        route.view === 'limits' ? loadLimits(store, ask, user) : undefined,
        route.view === 'subscriptions' ? loadSubscriptions(store, ask, user) : undefined,
      ])
    },
  }
}

type Change = Partial<PageState> | ((state: PageState) => PageState)

/** Sets what was loaded for this user, unless another one is logged in by now. */
function setFor(store: Store, user: string, change: Change): void {
  if (store.get().user === user) store.set(change)
}

async function loadTransfers(store: Store, ask: Ask, user: string): Promise<void> {
  const [downloads, hashing, uploads] = await Promise.all([
    ask('showDownloads'),
    ask('showHashing'),
    ask('showUploads'),
  ])
  if (!downloads.ok || !hashing.ok || !uploads.ok) return
  setFor(store, user, (state) => ({
    ...withTransfers(state, downloads.value, uploads.value, Date.now() / 1000),
    hashing: hashing.value,
  }))
}

/** Resolves to all groups; to none where they are not to be had. */
async function loadGroups(store: Store, ask: Ask, user: string): Promise<readonly GroupEntry[]> {
  const groups = await ask('listGroups')
  setFor(store, user, groups.ok ? { groups: groups.value } : { refused: groups.refusal.sentence })
  return groups.ok ? groups.value : []
}

async function loadGroup(
  store: Store,
  ask: Ask,
  user: string,
  group: string,
  groups: Promise<readonly GroupEntry[]>,
): Promise<void> {
  const [members, entries, requests] = await Promise.all([
    ask('listMembers', group),
    ask('listFiles', group, { details: true }),
    // Others may not ask for them.
    groups.then((all) =>
      all.some((one) => one.group === group && one.standing === 'owner')
        ? ask('listRequests', group)
        : undefined,
    ),
  ])
  const details: GroupDetails = {
    group,
    members: members.ok ? members.value : undefined,
    entries: entries.ok ? entries.value : undefined,
    requests: requests?.ok === true ? requests.value : [],
    problem: entries.ok ? undefined : entries.refusal.sentence,
  }
  setFor(store, user, (state) => {
    const { route, entry } = state
    if (!('group' in route) || route.group !== group) return state
    if (entry === undefined) return { ...state, group: details }
    const listed = details.entries?.find(({ name }) => name === entry.name) ?? entry.listed
    return { ...state, group: details, entry: { ...entry, listed } }
  })
}

interface EntryKey {
  readonly group: string
  readonly name: string
}

/** Changes what is known of an entry, if it is still the one that is looked at. */
export function setEntry(store: Store, user: string, key: EntryKey, change: Partial<EntryDetails>): void {
  setFor(store, user, (state) => {
    const { route } = state
    if (route.view !== 'entry' || route.group !== key.group || route.name !== key.name) return state
    const before = state.entry ?? {
      group: key.group,
      name: key.name,
      listed: state.group?.entries?.find(({ name }) => name === key.name),
      view: undefined,
      versions: [],
      files: undefined,
    }
    return { ...state, entry: { ...before, ...change } }
  })
}

async function loadEntryView(store: Store, ask: Ask, user: string, key: EntryKey): Promise<void> {
  const view = await ask('inspect', key.group, key.name)
  // It is neither shared nor downloaded here, which is no news to anybody.
  setEntry(store, user, key, { view: view.ok ? view.value : undefined })
}

async function loadVersions(store: Store, ask: Ask, user: string, key: EntryKey): Promise<void> {
  const versions = await ask('listVersions', key.group, key.name)
  if (!versions.ok) {
    setFor(store, user, { refused: versions.refusal.sentence })
    return
  }
  setEntry(store, user, key, { versions: versions.value })
  const isFolder = versions.value[0]?.files !== undefined
  if (!isFolder || store.get().entry?.files !== undefined) return
  const files = await ask('listFolder', key.group, key.name)
  if (files.ok) setEntry(store, user, key, { files: files.value })
}

async function loadLimits(store: Store, ask: Ask, user: string): Promise<void> {
  const limits = await ask('listLimits')
  if (limits.ok) setFor(store, user, { limits: limits.value })
}

async function loadSubscriptions(store: Store, ask: Ask, user: string): Promise<void> {
  const subscriptions = await ask('listSubscriptions')
  if (subscriptions.ok) setFor(store, user, { subscriptions: subscriptions.value })
}
