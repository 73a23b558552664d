// Lengths of time as people write them.

import { expect, test } from 'vitest'
import { parseDuration } from '../../../src/client/prompt/text/durations.ts'

test.each([
  ['90', 90_000],
  ['90s', 90_000],
  ['10m', 600_000],
  ['1.5h', 5_400_000],
  ['2H', 7_200_000],
  ['1d', 86_400_000],
  ['250ms', 250],
])('%s is %i ms', (text, ms) => {
  expect(parseDuration(text)).toEqual({ ok: true, value: ms })
})

test.each(['', 's', '-1', '5w', '0', '1m30s', 'soon', '1e3', '25d'])(
  '"%s" is refused, and what is meant is said',
  (text) => {
    expect(parseDuration(text)).toMatchObject({ ok: false, refusal: { code: 'usage' } })
  },
)
