// Two limits at once: the lower one counts.

import { expect, test } from 'vitest'
import { BothLimits } from '../../../src/client/transfer/read-limit.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { FakeClock } from './fake-clock.ts'

test.each([
  [1000, undefined, 1000],
  [undefined, 500, 500],
  [1000, 500, 500],
  [500, 1000, 500],
])('of %s for all and %s for one, %s is what holds one back', (all, own, rate) => {
  const clock = new FakeClock()
  const both = new BothLimits(new TokenBucket(all, clock), new TokenBucket(own, clock))
  expect(both.spend(1000)).toBe((1000 / rate) * 1000)
  expect(both.sliceBytes).toBe(1024)
})

test('what one download read is charged to all', () => {
  const clock = new FakeClock()
  const all = new TokenBucket(1000, clock)
  new BothLimits(all, new TokenBucket(10, clock)).spend(500)
  expect(all.spend(0)).toBe(500)
})
