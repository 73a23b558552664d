// How the time of a program is shared out between those who ask.

import { expect, test } from 'vitest'
import { FairTurns } from '../../src/common/wire/fair-turns.ts'
import { RoomForNewcomers } from '../../src/common/wire/turns.ts'

/** Binary fractions of a millisecond, which add up exactly. */
const usual = 125
const options = { quantumMicroseconds: usual, sliceMs: 1, changesOfOwnerMax: 2, atOnceMicroseconds: 0 }

/** Turns with a clock that stands still unless a turn takes time, and a loop that turns when it is told to. */
class Stage {
  nowMs = 100
  accepted = 0
  readonly went: string[] = []
  readonly gone = new Set<string>()
  readonly turns: FairTurns
  #soon: (() => void)[] = []

  constructor(more: Partial<typeof options> = {}) {
    this.turns = new FairTurns(
      { ...options, ...more, accepted: () => this.accepted },
      () => this.nowMs,
      (go) => this.#soon.push(go),
    )
  }

  /** `name` begins with its owner; a turn takes as long as it costs. */
  ask(name: string, cost = usual, mutates = false): void {
    const [owner = ''] = name
    const go = (): void => {
      this.went.push(name)
      this.nowMs += cost / 1000
    }
    this.turns.ask({ owner, cost, mutates, isGone: () => this.gone.has(name), go })
  }

  /** The event loop turns once. */
  turn(): string[] {
    this.went.length = 0
    for (const go of this.#soon.splice(0)) go()
    return [...this.went]
  }
}

test('owners take turns, whatever each has asked for', () => {
  const stage = new Stage()
  for (const name of ['a1', 'a2', 'a3', 'b1', 'c1']) stage.ask(name)
  expect(stage.turn()).toEqual(['a1', 'b1', 'c1', 'a2', 'a3'])
})

test('what costs more than a round waits for so many rounds', () => {
  const stage = new Stage()
  stage.ask('a1', 3 * usual)
  for (const name of ['b1', 'b2', 'b3']) stage.ask(name)
  expect(stage.turn()).toEqual(['b1', 'b2', 'a1', 'b3'])
})

test('after a slice of work the event loop has its turn', () => {
  const stage = new Stage()
  for (let count = 0; count < 20; count++) stage.ask(`a${count}`)
  const counts = [1, 2, 3, 4].map(() => stage.turn().length)
  expect(counts).toEqual([8, 8, 4, 0])
})

test('whoever asks for little goes at once, and for the rest has to wait', () => {
  const stage = new Stage({ atOnceMicroseconds: 300 })
  for (const name of ['a1', 'a2', 'a3', 'a4', 'b1']) stage.ask(name)
  expect(stage.went).toEqual(['a1', 'a2', 'b1'])
  expect(stage.turn()).toEqual(['a3', 'a4'])
  stage.ask('a5')
  expect(stage.went.at(-1)).toBe('a5')
})

test('nobody overtakes what its owner has waiting', () => {
  const stage = new Stage({ atOnceMicroseconds: 300 })
  stage.ask('a1', 300)
  stage.ask('a2', 10)
  expect(stage.went).toEqual([])
  expect(stage.turn()).toEqual(['a1', 'a2'])
})

// Of hundreds that came and were cut the turns came all the same: nobody else had one for seconds.
test('those who are gone are passed over and cost nothing', () => {
  const stage = new Stage()
  for (let count = 0; count < 1000; count++) {
    stage.ask(`a${count}`)
    stage.gone.add(`a${count}`)
  }
  stage.ask('a last')
  stage.ask('b1')
  expect(stage.turn()).toEqual(['a last', 'b1'])
})

test('changes of one owner beyond its bound wait until one is done', () => {
  const stage = new Stage()
  for (const name of ['a1', 'a2', 'a3']) stage.ask(name, usual, true)
  stage.ask('b1')
  expect(stage.turn()).toEqual(['a1', 'b1', 'a2'])
  stage.turns.onChanged('a')
  expect(stage.turn()).toEqual(['a3'])
})

test('while connections come work is put off, but not for long', () => {
  const stage = new Stage()
  stage.ask('a1')
  expect(stage.turn()).toEqual(['a1'])
  stage.ask('a2')
  for (let count = 0; count < 3; count++) {
    stage.accepted++
    expect(stage.turn()).toEqual([])
    stage.nowMs += 0.9
  }
  stage.accepted++
  stage.nowMs += 0.9
  expect(stage.turn()).toEqual(['a2'])
  stage.accepted++
  stage.ask('a3')
  expect(stage.turn()).toEqual([])
  // None came.
  expect(stage.turn()).toEqual(['a3'])
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
