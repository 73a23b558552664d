import { expect, test } from 'vitest'
import { Gathering } from '../../../src/client/workers/gathering.ts'

/** Slots into which so many pieces come in each nap, after those that are there. */
function slots(there: number, perNap: number) {
  return {
    receivedCount: there,
    naps: 0,
    nap(): void {
      this.naps++
      this.receivedCount += perNap
    },
  }
}

test('where no number of pieces is hashed faster at once, one is taken without waiting', () => {
  const received = slots(20, 5)
  expect([new Gathering(received, Infinity, 16).pieces(), received.naps]).toEqual([1, 0])
})

test('where there is none, nobody waits for the next one here', () => {
  const received = slots(0, 5)
  expect([new Gathering(received, 8, 16).pieces(), received.naps]).toEqual([1, 0])
})

test('as many as can be hashed at once are taken at once', () => {
  const received = slots(16, 5)
  expect([new Gathering(received, 8, 16).pieces(), received.naps]).toEqual([16, 0])
})

test('the first piece waits for others while they come', () => {
  const received = slots(1, 4)
  expect([new Gathering(received, 8, 16).pieces(), received.naps]).toEqual([16, 4])
})

test('where two are hashed at once, it waits for one more', () => {
  const received = slots(1, 1)
  expect([new Gathering(received, 2, 2).pieces(), received.naps]).toEqual([2, 1])
})

test('where two are hashed at once, one that no other follows is taken alone, and the next ones without waiting', () => {
  const received = slots(1, 0)
  const gathering = new Gathering(received, 2, 2)
  for (let call = 0; call < 9; call++) expect(gathering.pieces()).toBe(1)
  expect(received.naps).toBe(2)
})

test('it waits a few times at most', () => {
  const received = slots(1, 1)
  expect([new Gathering(received, 8, 16).pieces(), received.naps]).toEqual([16, 8])
})

test('where pieces come slowly, one is taken, and the next ones do not wait for company', () => {
  const received = slots(1, 0)
  const gathering = new Gathering(received, 8, 16)
  for (let call = 0; call < 9; call++) expect(gathering.pieces()).toBe(1)
  expect(received.naps).toBe(2)
  // Then it is tried again, since they may come faster by now.
  expect([gathering.pieces(), received.naps]).toEqual([1, 4])
})

test('many that came while nobody waited are taken at once', () => {
  const received = slots(1, 0)
  const gathering = new Gathering(received, 8, 16)
  gathering.pieces()
  received.receivedCount = 9
  expect([gathering.pieces(), received.naps]).toEqual([16, 2])
})
