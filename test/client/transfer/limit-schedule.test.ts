// Limits by the hour: which holds when, and that the clock on the wall decides.

import { expect, onTestFinished, test, vi } from 'vitest'
import { ruleAt } from '../../../src/client/limit-rules.ts'
import type { LimitRule } from '../../../src/client/operations.ts'
import { LimitSchedule } from '../../../src/client/transfer/limit-schedule.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'

const hour = 60
const by = (from: number, to: number): NonNullable<LimitRule['hours']> => ({
  fromMinute: from * hour,
  toMinute: to * hour,
})
const up = (bytesPerSecond: number | undefined, hours?: LimitRule['hours']): LimitRule => ({
  direction: 'upload',
  bytesPerSecond,
  hours,
})

/** A schedule at this time of a wall in Berlin. */
function scheduleAt(time: string, rules: readonly LimitRule[] = []) {
  const zone = process.env['TZ']
  process.env['TZ'] = 'Europe/Berlin'
  vi.useFakeTimers({ now: new Date(time) })
  const buckets = { upload: new TokenBucket(7), download: new TokenBucket() }
  const saved: (readonly LimitRule[])[] = []
  const schedule = new LimitSchedule({ buckets, rules, onTimedRules: (timed) => saved.push(timed) })
  onTestFinished(() => {
    schedule.close()
    vi.useRealTimers()
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  })
  return { schedule, saved, upload: () => buckets.upload.bytesPerSecond }
}

test.each([
  ['before it begins', 7 * hour + 59, 7],
  ['when it begins', 8 * hour, 2],
  ['in its last minute', 18 * hour - 1, 2],
  ['when it ends', 18 * hour, 7],
  ['across midnight, in the evening', 23 * hour, 3],
  ['across midnight, in the morning', 1 * hour, 3],
  ['when the night ends', 2 * hour, 7],
])('a rule with hours holds instead of the plain one: %s', (_, minute, rate) => {
  const rules = [up(7), up(2, by(8, 18)), up(3, by(22, 2))]
  expect(ruleAt(rules, 'upload', minute)?.bytesPerSecond).toBe(rate)
  expect(ruleAt(rules, 'download', minute)).toBeUndefined()
})

test('of two with the same hour the one that was given last holds, also one without a limit', () => {
  expect(ruleAt([up(7), up(2, by(8, 18)), up(undefined, by(12, 13))], 'upload', 12 * hour)).toMatchObject({
    bytesPerSecond: undefined,
    hours: by(12, 13),
  })
})

test('the rate changes within the minute in which its hours begin, and back', async () => {
  const { schedule, upload } = scheduleAt('2026-05-04T07:58:30+02:00')
  schedule.set(up(2, by(8, 9)))
  expect(upload()).toBe(7)
  await vi.advanceTimersByTimeAsync(90_000)
  expect(upload()).toBe(2)
  await vi.advanceTimersByTimeAsync(60 * 60_000)
  expect(upload()).toBe(7)
})

test('on the day on which summer begins, hours are those of the wall', async () => {
  // At 2:00 it is 3:00.
  const { upload } = scheduleAt('2026-03-29T01:59:00+01:00', [up(2, by(3, 4))])
  expect(upload()).toBe(7)
  await vi.advanceTimersByTimeAsync(60_000)
  expect(upload()).toBe(2)
  await vi.advanceTimersByTimeAsync(60 * 60_000)
  expect(upload()).toBe(7)
})

test('rules with hours are remembered, plain ones are not; none takes all of a direction away', () => {
  const { schedule, saved, upload } = scheduleAt('2026-05-04T12:00:00+02:00')
  schedule.set(up(5))
  expect([upload(), saved]).toEqual([5, []])
  schedule.set(up(2, by(8, 18)))
  schedule.set(up(3, by(8, 18)))
  expect([upload(), saved.at(-1)]).toEqual([3, [up(3, by(8, 18))]])
  expect(schedule.rules).toHaveLength(3)
  schedule.set(up(undefined))
  expect([upload(), saved.at(-1), schedule.rules.length]).toEqual([undefined, [], 2])
  expect(vi.getTimerCount()).toBe(0)
})
