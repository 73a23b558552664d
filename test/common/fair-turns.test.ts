// How the time of a program is shared out, in virtual time: each turn takes as long as it says that it costs.

import { expect, test } from 'vitest'
import { FairTurns } from '../../src/common/wire/fair-turns.ts'
import { RoomForNewcomers } from '../../src/common/wire/turns.ts'

const sliceMs = 4
const changesOfOwnerMax = 16
const options = { quantumMicroseconds: 250, sliceMs, changesOfOwnerMax }

class World {
  nowMs = 0
  #soon: (() => void)[] = []
  /** Whose turn it was, in order. */
  readonly served: string[] = []
  accepted = 0
  readonly turns: FairTurns

  constructor(more: { changesMax?: number } = {}) {
    this.turns = new FairTurns(
      { ...options, ...more, accepted: () => this.accepted },
      () => this.nowMs,
      (go) => this.#soon.push(go),
    )
  }

  /** Owners whose connections are gone. */
  readonly gone = new Set<string>()

  /** A connection of this owner that asks so often, one turn after the other. */
  ask(owner: string, count: number, cost: number, mutates = false): void {
    if (count === 0) return
    const go = (): void => {
      this.served.push(owner)
      this.nowMs += cost / 1000
      this.ask(owner, count - 1, cost, mutates)
    }
    this.turns.ask({ owner, cost, mutates, isGone: () => this.gone.has(owner), go })
  }

  /** Uses up the time of this turn of the event loop, so that what is asked now is queued. */
  fillTurn(): void {
    this.ask('first', 1, 1000 * sliceMs)
    this.served.length = 0
  }

  /** Lets the event loop have so many turns. */
  loop(count = Infinity): void {
    for (let turn = 0; turn < count; turn++) {
      const go = this.#soon.shift()
      if (go === undefined) return
      go()
    }
  }
}

test('whoever asks once is served within a round, however many turns others ask for', () => {
  const world = new World()
  for (let connection = 0; connection < 40; connection++) world.ask('greedy', 500, 100)
  world.loop(1)
  world.ask('honest', 1, 5)
  world.loop(2)
  expect(world.served).toContain('honest')
})

test('owners get the same time, whatever their requests cost and however many connections they have', () => {
  const world = new World()
  for (let connection = 0; connection < 10; connection++) world.ask('many dear ones', 1000, 400)
  world.ask('one with cheap ones', 100_000, 10)
  while (world.nowMs < 1000) world.loop(1)
  const spent = (owner: string, cost: number): number =>
    world.served.filter((each) => each === owner).length * cost
  const share = spent('many dear ones', 400) / spent('one with cheap ones', 10)
  expect(share).toBeGreaterThan(0.9)
  expect(share).toBeLessThan(1.1)
})

test('whoever asks when there is time is served at once', () => {
  const world = new World()
  world.ask('ann', 3, 10)
  expect(world.served).toHaveLength(3)
})

test('between slices the event loop has its turn', () => {
  const world = new World()
  for (let connection = 0; connection < 40; connection++) world.ask('greedy', 500, 100)
  for (const slices of [1, 2, 3]) {
    expect(world.nowMs).toBeGreaterThanOrEqual(slices * sliceMs)
    expect(world.nowMs).toBeLessThan(slices * (sliceMs + 0.5))
    world.loop(1)
  }
})

test('connections of one owner take turns', () => {
  const world = new World()
  world.fillTurn()
  const served: number[] = []
  const ask = (connection: number, count: number): void => {
    if (count === 0) return
    const go = (): void => {
      served.push(connection)
      ask(connection, count - 1)
    }
    world.turns.ask({ owner: 'ann', cost: 10, mutates: false, isGone: () => false, go })
  }
  for (const connection of [1, 2, 3]) ask(connection, 2)
  world.loop()
  expect(served).toEqual([1, 2, 3, 1, 2, 3])
})

test('so many changes of one owner are under way at once; more wait, those of others do not', () => {
  const world = new World()
  world.ask('greedy', changesOfOwnerMax + 5, 10, true)
  world.ask('honest', 1, 10, true)
  world.loop()
  const count = (owner: string): number => world.served.filter((each) => each === owner).length
  expect([count('greedy'), count('honest')]).toEqual([changesOfOwnerMax, 1])
  world.turns.onChanged('greedy')
  world.loop()
  expect(count('greedy')).toBe(changesOfOwnerMax + 1)
})

test('what an owner costs others to be told is taken from its share', () => {
  const world = new World()
  world.fillTurn()
  world.ask('loud', 1000, 10)
  world.ask('quiet', 1000, 10)
  world.turns.charge('loud', 3000)
  while (world.nowMs < 12) world.loop(1)
  const count = (owner: string): number => world.served.filter((each) => each === owner).length
  expect(count('quiet') - count('loud')).toBeGreaterThanOrEqual(250)
})

// A user with one connection asked for changes that thousands were told of, and each debt was forgotten at once.
test('an owner that pauses still owes, as long as others wait', () => {
  const world = new World()
  world.fillTurn()
  world.ask('quiet', 2000, 10)
  world.ask('loud', 1, 10)
  world.turns.charge('loud', 3000)
  world.loop(2)
  world.ask('loud', 1000, 10)
  while (world.nowMs < 16) world.loop(1)
  const count = (owner: string): number => world.served.filter((each) => each === owner).length
  expect(count('quiet') - count('loud')).toBeGreaterThanOrEqual(250)
})

test('debts are forgiven when nobody waits', () => {
  const world = new World()
  world.ask('loud', 1, 10)
  world.turns.charge('loud', 1e6)
  world.loop()
  world.fillTurn()
  world.ask('loud', 100, 10)
  world.ask('quiet', 100, 10)
  world.loop()
  expect(world.served.slice(0, 50).filter((each) => each === 'loud').length).toBeGreaterThanOrEqual(25)
})

// 34 accounts filled all places with 512 changes each, and everybody else was refused as busy.
test('when changes have all places, owners with more wait for one in turn', () => {
  const world = new World({ changesMax: 8 })
  const begun: string[] = []
  const change = (owner: string): void => {
    const go = (): void => void begun.push(owner)
    world.turns.ask({ owner, cost: 25, mutates: true, isGone: () => false, go })
  }
  for (let round = 0; round < 10; round++) for (const owner of ['a', 'b', 'c', 'd']) change(owner)
  change('honest')
  world.loop()
  expect(begun.length).toBe(8)
  for (const owner of begun.slice(0, 5)) world.turns.onChanged(owner)
  world.loop()
  expect(begun.slice(8).toSorted()).toEqual(['a', 'b', 'c', 'd', 'honest'])
  // What changes nothing does not wait for a place.
  world.ask('reader', 1, 10)
  world.loop()
  expect(world.served).toEqual(['reader'])
  for (let done = 5; done < begun.length; done++) world.turns.onChanged(begun[done] ?? '')
  world.loop()
  expect(begun.length).toBe(41)
})

test('owners that come once are not remembered', () => {
  const world = new World()
  for (let count = 0; count < 10_000; count++) {
    world.ask(`owner ${count}`, 1, 10)
    world.loop()
  }
  expect(world.turns.ownerCount).toBeLessThanOrEqual(2048)
})

// Of hundreds that came and were cut the turns came all the same: nobody else had one for seconds.
test('those who are gone are passed over and cost nothing', () => {
  const world = new World()
  world.fillTurn()
  for (let connection = 0; connection < 1000; connection++) world.ask('gone', 1, 1000)
  world.ask('honest', 1, 5)
  world.gone.add('gone')
  world.loop(1)
  expect(world.served).toEqual(['honest'])
})

test('while connections come work is put off, but not for long', () => {
  const world = new World()
  world.ask('a1', 1, 10)
  world.loop()
  world.accepted++
  world.ask('a2', 1, 10)
  for (let count = 0; count < 3; count++) {
    expect(world.served).toEqual(['a1'])
    world.nowMs += 0.9
    world.accepted++
    world.loop(1)
  }
  world.nowMs += 0.9
  world.accepted++
  world.loop(1)
  expect(world.served).toEqual(['a1', 'a2'])
  world.loop()
  world.accepted++
  world.ask('a3', 1, 10)
  expect(world.served).toHaveLength(2)
  // None came.
  world.loop(1)
  expect(world.served).toHaveLength(3)
})

test('room is needed once for each that came', () => {
  let accepted = 0
  const room = new RoomForNewcomers(() => accepted)
  room.onWorked(10)
  expect(room.isNeeded(11)).toBe(false)
  accepted = 5
  expect([room.isNeeded(11), room.isNeeded(11)]).toEqual([true, false])
  accepted = 6
  expect(room.isNeeded(13.5)).toBe(false)
})
