// The state machine against random stories, at each level. Seeds are printed when one fails. `npm run model` plays thousands.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wordsOf } from '../../../src/tracker/requests/sentences.ts'
import type { Command } from '../../../src/tracker/state/commands.ts'
import { restoreLegacySnapshot, takeLegacySnapshot } from '../../../src/tracker/state/legacy-snapshot.ts'
import type { Outcome } from '../../../src/tracker/state/outcomes.ts'
import { changedSections, digestOf, restoreSections } from '../../../src/tracker/state/sections.ts'
import { allOf, countOf } from '../../../src/tracker/state/sharers.ts'
import type { State } from '../../../src/tracker/state/state.ts'
import { codeOf, factsOf, factsOfModel, miscountsOf } from './facts.ts'
import { PlainModel } from './plain-model.ts'
import { anyStory } from './wishes.ts'
import { applyNext, stateAt, World } from './world.ts'

const community: Command = { kind: 'tracker_started', key: 'k', cluster: 'c', secret: 's', level: 3 }

/** Never repeated. */
const operators: ReadonlySet<string> = new Set<Command['kind']>([
  'set_registration',
  'add_invite',
  'issue_reset',
  'remove_user',
])

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

describe.each([1, 2, 3])('at level %i', (level) => {
  test('after any story the state machine has given the answers and holds the facts of a plain model', () => {
    fc.assert(
      fc.property(anyStory, (story) => {
        const world = new World(level)
        const model = new PlainModel(level)
        for (const wish of story) {
          expect(codeOf(world.do(wish).outcome)).toBe(model.do(wish))
        }
        expect(factsOf(world.state)).toEqual(factsOfModel(model))
        expect(miscountsOf(world.state)).toEqual([])
      }),
      { numRuns: 200 },
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
      { numRuns: 100 },
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
        expect(miscountsOf(resumed)).toEqual([])
      }),
      { numRuns: 120 },
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
      { numRuns: 120 },
    )
  })
})

test('raising levels anywhere comes to the same state, whatever snapshots a tracker began with', () => {
  fc.assert(
    fc.property(anyStory, fc.nat(), fc.nat(), fc.nat(), (story, second, third, restartAt) => {
      const commands = [community, ...asCommands(story)]
      const places = [second, third]
        .map((at) => 1 + (at % commands.length))
        .toSorted((one, other) => other - one)
      for (const [index, at] of places.entries())
        commands.splice(at, 0, { kind: 'raise_level', level: 3 - index })
      const read = stateAt(1)
      let begun = stateAt(1)
      for (const [index, command] of commands.entries()) {
        applyNext(read, command)
        applyNext(begun, command)
        if (index === restartAt % commands.length) begun = new Kept().through(begun)
      }
      expect(digestOf(begun)).toBe(digestOf(read))
      expect(miscountsOf(read)).toEqual([])
    }),
    { numRuns: 120 },
  )
})
