// The state that a community begins with.

import { LegacyOutcomes } from './legacy-outcomes.ts'
import { defaultQuotas } from './quotas.ts'
import { Shelves } from './shelves.ts'
import { sortedByName } from './sorted-map.ts'
import type { State } from './state.ts'

/**
 * Things per shelf; a snapshot writes the whole shelf of a thing that changed. Of entries, mostly the newest change;
 * of accounts, any may; and a single group may be long.
 */
const accountsOfShelf = 4
const groupsOfShelf = 2
const entriesOfShelf = 32

export function emptyState(): State {
  return {
    position: 0,
    level: 1,
    community: '',
    secret: '',
    trackers: new Map(),
    accounts: sortedByName(),
    groups: sortedByName(),
    listedGroups: sortedByName(),
    quotas: defaultQuotas,
    registrations: { day: 0, changedAt: 0, byNetwork: new Map() },
    registration: { mode: 'open', invites: new Map() },
    departures: { remembered: [], lastAt: 0 },
    outcomes: new LegacyOutcomes(),
    shelves: {
      accounts: new Shelves(accountsOfShelf),
      groups: new Shelves(groupsOfShelf),
      entries: new Shelves(entriesOfShelf),
    },
  }
}
