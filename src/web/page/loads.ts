// Asks the client for what the view shows, and puts the answers into the state. An answer that comes when another user,
// group or entry is looked at is dropped.

import type { GroupEntry } from '../../common/protocol/listings.ts'
import type { Ask } from './api.ts'
import { findListed, loadGroup } from './group-loads.ts'
import { setEntry, setFor, type EntryKey, type Looking } from './looking.ts'
import { withTransfers } from './state.ts'
import type { Store } from './store.ts'

export interface Loads {
  /** What changes all the time: transfers, how the entry stands that is looked at, what guests fetch. */
  live(): Promise<void>
  /** What changes by somebody's deed: lists of groups, members, entries, limits. */
  lists(): Promise<void>
}

/** `together`: asks for all that it is asked for in one turn at once. */
export function createLoads(store: Store, ask: Ask, together: Ask): Loads {
  return {
    async live() {
      const { user, route } = store.get()
      if (user === undefined) return
      const looking = { store, ask: together, user }
      await Promise.all([
        loadTransfers(looking),
        route.view === 'entry' ? loadEntryView(looking, route) : undefined,
        route.view === 'links' ? loadLinks(looking) : undefined,
      ])
    },
    async lists() {
      const { user, route } = store.get()
      if (user === undefined) return
      const looking = { store, ask, user }
      const groups = loadGroups(looking)
      await Promise.all([
        groups,
        route.view === 'group' ? loadGroup(looking, route.group, groups) : undefined,
        route.view === 'entry' ? loadEntry(looking, route) : undefined,
        route.view === 'limits' || route.view === 'entry' ? loadLimits(looking) : undefined,
        route.view === 'links' || route.view === 'entry' ? loadGuestPlace(looking) : undefined,
        route.view === 'subscriptions' ? loadSubscriptions(looking) : undefined,
      ])
    },
  }
}

async function loadTransfers(looking: Looking): Promise<void> {
  const { ask } = looking
  const [downloads, hashing, uploads] = await Promise.all([
    ask('showDownloads'),
    ask('showHashing'),
    ask('showUploads'),
  ])
  if (!downloads.ok || !hashing.ok || !uploads.ok) return
  setFor(looking, (state) => ({
    ...withTransfers(state, downloads.value, uploads.value, Date.now() / 1000),
    hashing: hashing.value,
  }))
}

/** Resolves to all groups; to none where they are not to be had. */
async function loadGroups(looking: Looking): Promise<readonly GroupEntry[]> {
  const groups = await looking.ask('listGroups')
  setFor(looking, groups.ok ? { groups: groups.value } : { refused: groups.refusal.sentence })
  return groups.ok ? groups.value : []
}

async function loadEntryView(looking: Looking, key: EntryKey): Promise<void> {
  const view = await looking.ask('inspect', key.group, key.name)
  // It is neither shared nor downloaded here, which is no news to anybody.
  setEntry(looking, key, { view: view.ok ? view.value : undefined })
}

async function loadEntry(looking: Looking, key: EntryKey): Promise<void> {
  await Promise.all([loadVersions(looking, key), loadListed(looking, key)])
}

/** Of what is here, `inspect` says more. */
async function loadListed(looking: Looking, key: EntryKey): Promise<void> {
  if (looking.store.get().entry?.view !== undefined) return
  const listed = await findListed(looking, key)
  if (listed !== undefined) setEntry(looking, key, { listed })
}

async function loadVersions(looking: Looking, key: EntryKey): Promise<void> {
  const { ask, store } = looking
  // A part of a folder has the versions of the whole.
  const [name = ''] = key.name.split('/')
  const versions = await ask('listVersions', key.group, name)
  if (!versions.ok) {
    setFor(looking, { refused: versions.refusal.sentence })
    return
  }
  setEntry(looking, key, { versions: versions.value })
  const isFolder = versions.value[0]?.files !== undefined
  if (!isFolder || store.get().entry?.files !== undefined) return
  const files = await ask('listFolder', key.group, key.name)
  if (files.ok) setEntry(looking, key, { files: files.value })
}

async function loadLimits(looking: Looking): Promise<void> {
  const limits = await looking.ask('listLimits')
  if (limits.ok) setFor(looking, { limits: limits.value })
}

async function loadSubscriptions(looking: Looking): Promise<void> {
  const subscriptions = await looking.ask('listSubscriptions')
  if (subscriptions.ok) setFor(looking, { subscriptions: subscriptions.value })
}

async function loadLinks(looking: Looking): Promise<void> {
  const links = await looking.ask('listLinks')
  if (links.ok) setFor(looking, { links: links.value })
}

/** The client decided that at its start. */
async function loadGuestPlace(looking: Looking): Promise<void> {
  if (looking.store.get().guests !== undefined) return
  const place = await looking.ask('showGuestPlace')
  if (place.ok) setFor(looking, { guests: { place: place.value } })
}
