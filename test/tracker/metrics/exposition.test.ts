// The text that Prometheus reads, against the description of its format.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { exposition, single } from '../../../src/common/prometheus/exposition.ts'
import { RequestMetrics } from '../../../src/tracker/metrics/request-metrics.ts'
import { readExposition } from './read-exposition.ts'

test('a family is its help, its type, and a line a sample', () => {
  expect(
    exposition([
      single('gauge', 'a_gauge', 'What it is.', 1.5),
      {
        type: 'counter',
        name: 'a_total',
        help: 'Two\nlines and a \\.',
        samples: [
          { labels: { code: 'x', of: 'y' }, value: 3 },
          { labels: { code: 'z', of: 'y' }, value: Infinity },
        ],
      },
    ]),
  ).toBe(`# HELP a_gauge What it is.
# TYPE a_gauge gauge
a_gauge 1.5
# HELP a_total Two\\nlines and a \\\\.
# TYPE a_total counter
a_total{code="x",of="y"} 3
a_total{code="z",of="y"} +Inf
`)
})

test('whatever a label says is read back as it was', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.double({ noNaN: true, min: 0 }), (text, value) => {
      const family = {
        type: 'gauge',
        name: 'g',
        help: 'Help.',
        samples: [{ labels: { text }, value }],
      } as const
      const read = readExposition(exposition([family]))
        .get('g')
        ?.series.get('g')
      expect(read).toEqual([{ labels: { text }, value }])
    }),
  )
})

test('latencies are counted in their classes, and in every one above', () => {
  const metrics = new RequestMetrics()
  const startedMsAgo = [0, 0, 30, 7000]
  for (const ms of startedMsAgo) metrics.onAnswered('list_files', performance.now() - ms)
  metrics.onAnswered('create_group', performance.now())
  metrics.onAnswered('no_such_method', performance.now())
  const family = readExposition(exposition(metrics.families())).get('coterie_request_duration_seconds')
  const buckets = (family?.series.get('coterie_request_duration_seconds_bucket') ?? []).filter(
    ({ labels }) => labels['method'] === 'list_files',
  )
  const upTo = (le: string): number | undefined => buckets.find(({ labels }) => labels['le'] === le)?.value
  expect([upTo('0.025'), upTo('0.05'), upTo('5'), upTo('+Inf')]).toEqual([2, 3, 3, 4])
  expect(buckets[0]?.labels['kind']).toBe('query')
  const sums = family?.series.get('coterie_request_duration_seconds_sum') ?? []
  const sum = sums.find(({ labels }) => labels['method'] === 'list_files')?.value
  expect(sum).toBeGreaterThanOrEqual(7.03)
  expect(sum).toBeLessThan(8)
  const create = sums.find(({ labels }) => labels['method'] === 'create_group')
  expect(create?.labels['kind']).toBe('command')
})
