// Who looks at what: what is loaded goes into the state only while the same user looks at the same group or entry.

import type { Ask } from './api.ts'
import type { EntryDetails, GroupDetails, PageState } from './state.ts'
import type { Store } from './store.ts'

export interface Looking {
  readonly store: Store
  readonly ask: Ask
  /** Who was logged in when it was asked for. */
  readonly user: string
}

export interface EntryKey {
  readonly group: string
  readonly name: string
}

/** Sets what was loaded for this user, unless another one is logged in by now. */
export function setFor(
  { store, user }: Pick<Looking, 'store' | 'user'>,
  change: Partial<PageState> | ((state: PageState) => PageState),
): void {
  if (store.get().user === user) store.set(change)
}

/** Changes what is known of a group, if it is still the one that is looked at. */
export function setGroup(looking: Looking, group: string, change: Partial<GroupDetails>): void {
  setFor(looking, (state) => {
    const { route } = state
    if (route.view !== 'group' || route.group !== group) return state
    const before = state.group ?? {
      group,
      members: undefined,
      requests: [],
      entries: undefined,
      isWhole: false,
    }
    return { ...state, group: { ...before, ...change } }
  })
}

/** Changes what is known of an entry, if it is still the one that is looked at. */
export function setEntry(
  looking: Pick<Looking, 'store' | 'user'>,
  key: EntryKey,
  change: Partial<EntryDetails>,
): void {
  setFor(looking, (state) => {
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
