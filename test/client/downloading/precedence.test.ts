import { expect, test } from 'vitest'
import { Precedence, type Rank } from '../../../src/client/downloading/precedence.ts'
import type { Priority } from '../../../src/client/operations.ts'

class Line {
  nowMs = 0
  readonly precedence = new Precedence(() => this.nowMs)
  /** Which downloads asked for a piece, in this order. */
  readonly asked: string[] = []

  /** One that asks for a piece whenever it may be able to, and only then. */
  download(name: string, priority?: Priority): Rank {
    const rank = this.precedence.rank({ group: 'g', name }, priority)
    rank.enter(() => {
      if (!rank.mayAsk()) return
      rank.onAsked()
      this.asked.push(name)
    })
    return rank
  }
}

function receives(rank: Rank, pieces: number): void {
  for (let piece = 0; piece < pieces; piece++) rank.onPiece()
}

test.each(['high', 'normal', 'low'] as const)('downloads that all have %s priority hold back none', (all) => {
  const line = new Line()
  const [one, other] = [line.download('one', all), line.download('other', all)]
  receives(one, 100)
  one.onBytes(1000)
  for (let n = 0; n < 100; n++) {
    expect([one.mayAsk(), other.mayAsk()]).toEqual([true, true])
    other.onAsked()
  }
  expect(other.goesFirst()).toBeUndefined()
})

test('a lower one asks for a piece for each nine that a higher one receives, and says for whom it waits', () => {
  const line = new Line()
  const [high, low] = [line.download('first', 'high'), line.download('later', 'low')]
  receives(high, 91)
  expect(line.asked).toHaveLength(10)
  expect(low.mayAsk()).toBe(false)
  expect(high.mayAsk()).toBe(true)
  expect(low.goesFirst()).toEqual({ group: 'g', name: 'first' })
  expect(high.goesFirst()).toBeUndefined()
})

test('lower ones have turns one after the other, however many there are', () => {
  const line = new Line()
  const high = line.download('first', 'high')
  for (const name of ['a', 'b', 'c']) line.download(name, 'low')
  receives(high, 60)
  expect(line.asked).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
})

test('the low ones go behind the normal ones, and those behind the high ones', () => {
  const line = new Line()
  const [high, normal] = [line.download('high', 'high'), line.download('normal')]
  line.download('low', 'low')
  receives(normal, 9)
  expect(line.asked).toEqual(['low'])
  receives(high, 18)
  expect(line.asked).toEqual(['low', 'normal', 'normal'])
})

test('one whose higher ones have ended goes on at once', () => {
  const line = new Line()
  const [first, second] = [line.download('first', 'high'), line.download('second', 'high')]
  const low = line.download('low', 'low')
  receives(first, 1)
  receives(second, 1)
  expect(low.mayAsk()).toBe(false)
  first.leave()
  expect(line.asked).toEqual([])
  second.leave()
  expect(line.asked).toEqual(['low'])
  expect(low.mayAsk()).toBe(true)
})

test('a higher one that receives nothing holds back nobody, but for a second when it begins', () => {
  const line = new Line()
  const [high, low] = [line.download('high', 'high'), line.download('low', 'low')]
  line.nowMs += 999
  expect(low.mayAsk()).toBe(false)
  line.nowMs += 1
  expect(low.mayAsk()).toBe(true)
  high.onBytes(1)
  expect(low.mayAsk()).toBe(false)
  line.nowMs += 9_999
  expect(low.mayAsk()).toBe(false)
  line.nowMs += 1
  expect(low.mayAsk()).toBe(true)
  high.onBytes(0)
  expect(low.mayAsk()).toBe(true)
})

test('a new priority counts at once, for both', () => {
  const line = new Line()
  const [one, other] = [line.download('one'), line.download('other')]
  receives(one, 1)
  receives(other, 1)
  other.setPriority('high')
  receives(other, 1)
  expect([one.mayAsk(), other.mayAsk()]).toEqual([false, true])
  one.setPriority('high')
  expect([one.mayAsk(), other.mayAsk()]).toEqual([true, true])
  expect(line.asked).toEqual(['other', 'one'])
})

test('a priority of one that does not run is kept for when it does', () => {
  const line = new Line()
  const high = line.download('high')
  const rank = line.precedence.rank({ group: 'g', name: 'paused' }, 'low')
  rank.setPriority('high')
  expect(rank.priority).toBe('high')
  rank.onPiece()
  rank.leave()
  expect(high.mayAsk()).toBe(true)
})
