// The state machine against random stories, at each level. Seeds are printed when one fails.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answerOf, wordsOf } from '../../../src/tracker/requests/sentences.ts'
import type { Command } from '../../../src/tracker/state/commands.ts'
import { restoreLegacySnapshot, takeLegacySnapshot } from '../../../src/tracker/state/legacy-snapshot.ts'
import type { Outcome } from '../../../src/tracker/state/outcomes.ts'
import { changedSections, digestOf, restoreSections } from '../../../src/tracker/state/sections.ts'
import { allOf, countOf, isAmong } from '../../../src/tracker/state/sharers.ts'
import { ownerOf, type Account, type State } from '../../../src/tracker/state/state.ts'
import { PlainModel } from './plain-model.ts'
import { anyStory } from './wishes.ts'
import { applyNext, stateAt, World } from './world.ts'

const community: Command = { kind: 'tracker_started', key: 'k', cluster: 'c', secret: 's', level: 2 }

function namesOf(accounts: Iterable<Account>): string[] {
  return Array.from(accounts, ({ name }) => name)
}

/** The facts of a state, in the words of the plain model. */
function factsOf({ accounts, groups, registration }: State): object {
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
  }
}

function factsOfModel(model: PlainModel): object {
  const groups = model.groups.toSorted()
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
  }
}

/** Never repeated. */
const operators: ReadonlySet<string> = new Set<Command['kind']>([
  'set_registration',
  'add_invite',
  'issue_reset',
  'remove_user',
])

function codeOf(outcome: Outcome): string {
  const answer = answerOf(outcome)
  return answer.ok ? 'done' : answer.refusal.code
}

function registeredAt(commands: readonly Command[], user: string): number {
  const at = commands.findIndex((command) => command.kind === 'register' && command.user === user)
  return at === -1 ? Infinity : at
}

function asCommands(story: readonly object[]): Command[] {
  return story.map((wish, index) => ({ id: `id-${index}`, ...wish }) as Command)
}

/** With the login that each is asked for with, as a tracker writes it down. */
function withLogins(commands: readonly Command[], level: number): Command[] {
  const state = stateAt(level)
  return commands.map((command) => {
    const account = 'by' in command ? state.accounts.get(command.by) : undefined
    const login = level < 2 || account === undefined ? {} : { account: account.id, epoch: account.epoch }
    const asked = { ...command, ...login }
    applyNext(state, asked)
    return asked
  })
}

/** Whether its account has gone since: then there is nobody to remember it by. */
function isGone({ accounts }: State, command: Command): boolean {
  return (
    'account' in command && accounts.get('by' in command ? command.by : command.user)?.id !== command.account
  )
}

function mayHaveLeft(commands: readonly Command[], user: string): boolean {
  return commands.some(
    (command) =>
      (command.kind === 'delete_account' && command.by === user) ||
      (command.kind === 'remove_user' && command.user === user),
  )
}

/** What a log keeps of a state: at level 1 one text, from then on sections, of which only changed ones are written. */
class Kept {
  readonly #sections = new Map<string, string>()
  #position = 0

  through(state: State): State {
    if (state.level < 2) return restoreLegacySnapshot(takeLegacySnapshot(state, wordsOf), state.position)
    for (const [key, text] of changedSections(state, this.#position)) {
      if (text === undefined) this.#sections.delete(key)
      else this.#sections.set(key, text)
    }
    this.#position = state.position
    return restoreSections(
      [...this.#sections].sort(([one], [other]) => (one < other ? -1 : 1)),
      state.position,
    )
  }
}

/** Counts that are kept beside what they count, and entries that are found by who shares them. */
function expectCounts({ accounts, groups, shelves }: State): void {
  for (const account of accounts.values()) {
    const entries = groups.valuesArray().flatMap((group) => group.entries.valuesArray())
    expect(account.shares).toBe(entries.filter(({ sharers }) => isAmong(sharers, account)).length)
    expect(account.requests).toBe(groups.valuesArray().filter(({ requests }) => requests.has(account)).length)
    const mine = groups.valuesArray().filter(({ members }) => members.has(account))
    expect(account.memberships).toBe(mine.length)
    expect(account.owned).toBe(mine.filter((group) => ownerOf(group) === account).length)
    for (const group of groups.values()) {
      const shared = group.entries.valuesArray().filter(({ sharers }) => isAmong(sharers, account))
      expect(group.holdings.of(account)).toEqual(shared)
    }
  }
  expect(shelves.groups.count).toBe(groups.size)
  expect(shelves.entries.count).toBe(groups.valuesArray().reduce((sum, { entries }) => sum + entries.size, 0))
}

describe.each([1, 2])('at level %i', (level) => {
  test('after any story the state machine has given the answers and holds the facts of a plain model', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const world = new World(level)
        const model = new PlainModel(level)
        for (const wish of story) {
          expect(codeOf(world.do(wish).outcome)).toBe(model.do(wish))
        }
        expect(factsOf(world.state)).toEqual(factsOfModel(model))
        expectCounts(world.state)
      }),
      { numRuns: 500 },
    )
  })

  test('in every state groups have members, files have sharers, sharers are members and askers are not', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const world = new World(level)
        for (const wish of story) {
          world.do(wish)
          for (const { members, requests, entries } of world.state.groups.values()) {
            expect(members.size).toBeGreaterThan(0)
            for (const asker of requests) expect(members.has(asker)).toBe(false)
            for (const { sharers } of entries.values()) {
              expect(countOf(sharers)).toBeGreaterThan(0)
              for (const sharer of allOf(sharers)) expect(members.has(sharer)).toBe(true)
            }
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  test('replaying a log gives the same digest, across snapshots taken anywhere', () => {
    fc.assert(
      fc.property(anyStory, fc.array(fc.nat(), { minLength: 1, maxLength: 5 }), (story, places) => {
        const commands = [community, ...asCommands(story)]
        const at = new Set(places.map((place) => place % commands.length))
        const whole = stateAt(level)
        for (const command of commands) applyNext(whole, command)
        let resumed = stateAt(level)
        const kept = new Kept()
        for (const [index, command] of commands.entries()) {
          applyNext(resumed, command)
          if (at.has(index)) resumed = kept.through(resumed)
        }
        expect(digestOf(resumed)).toBe(digestOf(whole))
        expectCounts(resumed)
      }),
      { numRuns: 300 },
    )
  })

  test('repeating commands anywhere changes no facts, no code of an answer, and has no effects', () => {
    const anyRepeats = fc.array(fc.nat(), { maxLength: 50 })
    fc.assert(
      fc.property(anyStory, anyRepeats, (story, repeats) => {
        const commands = withLogins(asCommands(story), level)
        const once = stateAt(level)
        const outcomes = commands.map((command) => applyNext(once, command).outcome)
        const often = stateAt(level)
        for (const [index, command] of commands.entries()) {
          applyNext(often, command)
          const back = (repeats[index % (repeats.length + 1)] ?? index) % (index + 1)
          const repeated = commands[back] as Command
          // Nobody asks before it is registered, and there is nobody to remember it by.
          if ('by' in repeated && registeredAt(commands, repeated.by) > back) continue
          if ('by' in repeated && level > 1 && repeated.account === undefined) continue
          // Only users repeat; and a registration is too late by its `after` when its account has gone.
          if (operators.has(repeated.kind)) continue
          const since = commands.slice(back, index + 1)
          if ('user' in repeated && !('by' in repeated) && mayHaveLeft(since, repeated.user)) continue
          // Codes are random: none is tried before it is issued. A refused registration has nobody to remember it.
          const isOfStranger = repeated.kind === 'reset_password' || repeated.kind === 'register'
          if (isOfStranger && outcomes[back]?.ok === false) continue
          const isLate = isGone(often, repeated) && repeated.kind !== 'delete_account'
          const { outcome, effects } = applyNext(often, repeated)
          const code = isLate ? 'unavailable' : codeOf(outcomes[back] as Outcome)
          expect([codeOf(outcome), effects]).toEqual([code, []])
        }
        expect(factsOf(often)).toEqual(factsOf(once))
      }),
      { numRuns: 300 },
    )
  })
})

test('raising the level anywhere comes to the same state, whatever snapshots a tracker began with', () => {
  fc.assert(
    fc.property(anyStory, fc.nat(), fc.nat(), (story, raiseAt, restartAt) => {
      const commands = [community, ...asCommands(story)]
      commands.splice(1 + (raiseAt % commands.length), 0, { kind: 'raise_level', level: 2 })
      const read = stateAt(1)
      let begun = stateAt(1)
      for (const [index, command] of commands.entries()) {
        applyNext(read, command)
        applyNext(begun, command)
        if (index === restartAt % commands.length) begun = new Kept().through(begun)
      }
      expect(digestOf(begun)).toBe(digestOf(read))
      expectCounts(read)
    }),
    { numRuns: 300 },
  )
})
