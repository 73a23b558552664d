// Sizes as people read them.

import { expect, test } from 'vitest'
import { formatSize } from '../../src/common/sizes.ts'

test('sizes are in the largest unit of which there is one', () => {
  expect([0, 1023, 1024, 1024 ** 2 - 1, 3_000_000, 5 * 1024 ** 4].map(formatSize)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.0 MiB',
    '2.9 MiB',
    '5.0 TiB',
  ])
})
