// A state and a plain model in the same words, so that they can be compared; used by tests and by a campaign.

import { earlierVersionsMax } from '../../../src/common/limits.ts'
import { answerOf } from '../../../src/tracker/requests/sentences.ts'
import type { Outcome } from '../../../src/tracker/state/outcomes.ts'
import { allOf, isAmong } from '../../../src/tracker/state/sharers.ts'
import { ownerOf, type Account, type State } from '../../../src/tracker/state/state.ts'
import type { PlainModel } from './plain-model.ts'

/** The facts of a state, in the words of the plain model. */
export function factsOf({ level, accounts, groups, registration }: State): object {
  return {
    users: accounts.valuesArray().map(({ name, credentials }) => [name, credentials.storedKey]),
    registration: [registration.mode, [...registration.invites.keys()]],
    resets: accounts.valuesArray().map(({ reset }) => reset?.codeHash),
    groups: groups
      .valuesArray()
      .map((group) => [group.name, ownerOf(group).name, namesOf(group.members), namesOf(group.requests)]),
    hidden: groups
      .valuesArray()
      .filter(({ isHidden }) => isHidden)
      .map(({ name }) => name),
    shares: groups
      .valuesArray()
      .flatMap(({ name: group, entries }) =>
        entries
          .valuesArray()
          .map(({ name, fileId, sharers }) => [group, name, fileId, namesOf(allOf(sharers))]),
      ),
    versions: groups
      .valuesArray()
      .flatMap(({ entries }) => entries.valuesArray())
      .map((entry) => [...(entry.earlier ?? []), entry].map(({ edition }) => edition))
      .map((editions) =>
        level < 3 ? [] : editions.map((one) => [one?.number, one?.by, one?.files]).slice(-shownVersions),
      ),
  }
}

/** A story may have more, of which a state forgets the oldest. */
const shownVersions = earlierVersionsMax + 1

export function factsOfModel(model: PlainModel): object {
  const groups = model.groups.toSorted()
  const names = groups.flatMap((group) =>
    [...new Set(model.shares.filter((share) => share.group === group).map(({ name }) => name))]
      .toSorted()
      .map((name) => `${group}/${name}`),
  )
  return {
    users: model.users.toSorted().map((user) => [user, model.passwords.get(user)]),
    registration: [model.mode, [...model.invites]],
    resets: model.users.toSorted().map((user) => model.resets.get(user)),
    groups: groups.map((name) => [name, model.ownerOf(name), model.membersOf(name), model.asksFor(name)]),
    hidden: groups.filter((name) => model.hidden.has(name)),
    shares: groups.flatMap((group) =>
      [...new Set(model.shares.filter((share) => share.group === group).map(({ name }) => name))]
        .toSorted()
        .map((name) => {
          const shares = model.sharesOf(group, name)
          return [group, name, shares[0]?.fileId, shares.map(({ user }) => user)]
        }),
    ),
    versions: names
      .map((name) => (model.level < 3 ? [] : (model.versions.get(name) ?? [])))
      .map((contents) => contents.map(({ by, files }, at) => [at + 1, by, files]).slice(-shownVersions)),
  }
}

/** "done", or the code of the refusal, as the model says it. */
export function codeOf(outcome: Outcome): string {
  const answer = answerOf(outcome)
  return answer.ok ? 'done' : answer.refusal.code
}

/** A sentence for each count that disagrees with what it counts, and for entries that are not found by their sharer. */
export function miscountsOf({ accounts, groups, shelves }: State): string[] {
  const all = groups.valuesArray()
  const entries = all.flatMap((group) => group.entries.valuesArray())
  const wrong: string[] = []
  const compare = (what: string, counted: number, real: number): void => {
    if (counted !== real) wrong.push(`${what}: ${counted} are counted, and there are ${real}`)
  }
  compare('groups', shelves.groups.count, groups.size)
  compare('entries', shelves.entries.count, entries.length)
  for (const account of accounts.values()) {
    const of = (what: string): string => `${what} of ${account.name}`
    const mine = all.filter(({ members }) => members.has(account))
    compare(of('shares'), account.shares, entries.filter((entry) => isAmong(entry.sharers, account)).length)
    compare(of('requests'), account.requests, all.filter(({ requests }) => requests.has(account)).length)
    compare(of('memberships'), account.memberships, mine.length)
    compare(of('groups'), account.owned, mine.filter((group) => ownerOf(group) === account).length)
    for (const group of all) {
      const shared = group.entries.valuesArray().filter(({ sharers }) => isAmong(sharers, account))
      const held = group.holdings.of(account)
      if (held.length !== shared.length || held.some((entry, at) => entry !== shared[at]))
        wrong.push(`${of('entries')} in ${group.name}: ${held.length} are found, not the ${shared.length}`)
    }
  }
  return wrong
}

function namesOf(accounts: Iterable<Account>): string[] {
  return Array.from(accounts, ({ name }) => name)
}
