// The state machine against random stories. Seeds are printed when one fails.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { apply } from '../../../src/tracker/state/apply.ts'
import type { Command } from '../../../src/tracker/state/commands.ts'
import { digestOf, restoreSnapshot, takeSnapshot } from '../../../src/tracker/state/snapshot.ts'
import { emptyState, ownerOf, type State } from '../../../src/tracker/state/state.ts'
import { PlainModel } from './plain-model.ts'
import { anyStory } from './wishes.ts'
import { World } from './world.ts'

/** The facts of a state, in the words of the plain model. */
function factsOf(state: State): object {
  const groups = [...state.groups]
  return {
    users: [...state.users.keys()],
    groups: groups.map(([name, group]) => [name, ownerOf(group), [...group.members], [...group.requests]]),
    shares: groups.flatMap(([group, { files }]) =>
      [...files].map(([name, file]) => [group, name, file.fileId, [...file.sharers]]),
    ),
  }
}

function factsOfModel(model: PlainModel, state: State): object {
  return {
    users: model.users,
    groups: model.groups.map((name) => [
      name,
      model.ownerOf(name),
      model.membersOf(name),
      model.asksFor(name),
    ]),
    // The order of files in a group is the state's own affair.
    shares: [...state.groups].flatMap(([group, { files }]) =>
      [
        ...new Set([...files.keys(), ...model.shares.filter((s) => s.group === group).map((s) => s.name)]),
      ].map((name) => {
        const shares = model.sharesOf(group, name)
        return [group, name, shares[0]?.fileId, shares.map((share) => share.user)]
      }),
    ),
  }
}

function asCommands(story: readonly object[]): Command[] {
  return story.map((wish, index) => ({ id: `id-${index}`, ...wish }) as Command)
}

test('after any story the state machine has given the answers and holds the facts of a plain model', () => {
  fc.assert(
    fc.property(anyStory, (story) => {
      const world = new World()
      const model = new PlainModel()
      for (const wish of story) {
        const { outcome } = world.do(wish)
        expect(outcome.ok ? 'done' : outcome.refusal.code).toBe(model.do(wish))
      }
      expect(factsOf(world.state)).toEqual(factsOfModel(model, world.state))
    }),
    { numRuns: 1000 },
  )
})

test('in every state groups have members, files have sharers, sharers are members and askers are not', () => {
  fc.assert(
    fc.property(anyStory, (story) => {
      const world = new World()
      for (const wish of story) {
        world.do(wish)
        for (const { members, requests, files } of world.state.groups.values()) {
          expect(members.size).toBeGreaterThan(0)
          for (const asker of requests) expect(members.has(asker)).toBe(false)
          for (const { sharers } of files.values()) {
            expect(sharers.size).toBeGreaterThan(0)
            for (const sharer of sharers) expect(members.has(sharer)).toBe(true)
          }
        }
      }
    }),
    { numRuns: 200 },
  )
})

test('replaying a log gives the same digest, across a snapshot taken anywhere', () => {
  fc.assert(
    fc.property(anyStory, fc.nat(), (story, at) => {
      const commands = asCommands(story)
      const whole = emptyState()
      for (const command of commands) apply(whole, command)
      let resumed = emptyState()
      for (const [index, command] of commands.entries()) {
        if (index === at % commands.length) resumed = restoreSnapshot(takeSnapshot(resumed))
        apply(resumed, command)
      }
      expect(digestOf(resumed)).toBe(digestOf(whole))
    }),
    { numRuns: 500 },
  )
})

test('repeating commands anywhere changes no state and no answer', () => {
  const anyRepeats = fc.array(fc.nat(), { maxLength: 50 })
  fc.assert(
    fc.property(anyStory, anyRepeats, (story, repeats) => {
      const commands = asCommands(story)
      const once = emptyState()
      const outcomes = commands.map((command) => apply(once, command).outcome)
      const often = emptyState()
      for (const [index, command] of commands.entries()) {
        apply(often, command)
        const back = repeats[index % (repeats.length + 1)]
        if (back === undefined) continue
        const repeated = commands[back % (index + 1)] as Command
        expect(apply(often, repeated)).toEqual({ outcome: outcomes[back % (index + 1)], effects: [] })
      }
      expect(digestOf(often)).toBe(digestOf(once))
    }),
    { numRuns: 500 },
  )
})
