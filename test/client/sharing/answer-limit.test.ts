import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { AnswerLimit } from '../../../src/client/sharing/answer-limit.ts'
import { noWaiting } from '../../../src/common/wire/turns.ts'

const KiB = 1024
const MiB = 1024 * KiB

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

interface Stage {
  readonly limit: AnswerLimit
  readonly went: string[]
  readonly gone: Set<string>
  readonly ask: (owner: string) => void
}

function stage(): Stage {
  const went: string[] = []
  const gone = new Set<string>()
  const limit = new AnswerLimit(noWaiting)
  const ask = (owner: string): void =>
    limit.ask({
      owner,
      cost: 1,
      mutates: false,
      isGone: () => gone.has(owner),
      go: () => void went.push(owner),
    })
  return { limit, went, gone, ask }
}

// Answers to `open` of a file of 128 GiB are 43 KiB each and wait for no limit: 400 times what asks for them.
test('whoever is answered without end has turns as its answers are paid for, and others go on', () => {
  const { limit, went, ask } = stage()
  let answered = 0
  for (let ms = 0; ms < 60_000; ms += 10) {
    ask('greedy')
    if (went.splice(0).length > 0) {
      limit.onAnswered('greedy', 43 * KiB)
      answered += 43 * KiB
    }
    ask('modest')
    expect(went.splice(0)).toContain('modest')
    limit.onAnswered('modest')
    vi.advanceTimersByTime(10)
  }
  const perSecond = (answered - 4 * MiB) / 60
  expect(perSecond).toBeGreaterThan(120 * KiB)
  expect(perSecond).toBeLessThan(136 * KiB)
})

test('short answers count too', () => {
  const { limit, went, ask } = stage()
  for (let count = 0; count < 50_000; count++) limit.onAnswered('greedy')
  ask('greedy')
  expect(went).toEqual([])
  vi.advanceTimersByTime(60_000)
  expect(went).toEqual(['greedy'])
})

test('a turn whose connection has gone meanwhile does not come', () => {
  const { limit, went, gone, ask } = stage()
  limit.onAnswered('a', 5 * MiB)
  limit.onAnswered('b', 5 * MiB)
  ask('a')
  ask('b')
  gone.add('a')
  vi.advanceTimersByTime(60_000)
  expect(went).toEqual(['b'])
})

test('whoever is in debt is remembered, however many others come', () => {
  const { limit, went, ask } = stage()
  limit.onAnswered('greedy', 5 * MiB)
  for (let count = 0; count < 10_000; count++) limit.onAnswered(`from 10.0.${count}`)
  ask('greedy')
  expect(went).toEqual([])
})
