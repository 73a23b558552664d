// Counts and times the requests to a tracker. Called by the responders; an observation takes 50 ns.

import { trackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import type { RefusalCode } from '../../common/refusal.ts'
import type { RequestSpec } from '../../common/wire/methods.ts'
import type { Family, Sample } from '../../common/prometheus/exposition.ts'

/** Upper bounds of the latency buckets, in milliseconds: from a query to a disk that stalls. */
const bucketsMs = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000] as const

class Latencies {
  /** The last one counts whatever took longer. */
  readonly counts = new Float64Array(bucketsMs.length + 1)
  sumMs = 0

  observe(ms: number): void {
    let index = 0
    while (index < bucketsMs.length && ms > (bucketsMs[index] ?? Infinity)) index++
    this.counts[index] = (this.counts[index] ?? 0) + 1
    this.sumMs += ms
  }
}

export class RequestMetrics {
  readonly #latencies = new Map(
    Object.keys(trackerProtocol.requests).map((method) => [method, new Latencies()]),
  )
  readonly #refusals = new Map<RefusalCode, number>()

  onAnswered(method: string, startedAtMs: number): void {
    this.#latencies.get(method)?.observe(performance.now() - startedAtMs)
  }

  onRefused(code: RefusalCode): void {
    this.#refusals.set(code, this.refusals(code) + 1)
  }

  refusals(code: RefusalCode): number {
    return this.#refusals.get(code) ?? 0
  }

  families(): Family[] {
    return [
      {
        type: 'histogram',
        name: 'coterie_request_duration_seconds',
        help: 'From reading a request to its answer: commands change the state and are durable when answered.',
        samples: [...this.#latencies].flatMap(([method, latencies]) => histogramOf(method, latencies)),
      },
      {
        type: 'counter',
        name: 'coterie_refusals_total',
        help: 'Requests that were refused, by refusal code.',
        samples: [...this.#refusals].map(([code, value]) => ({ labels: { code }, value })),
      },
    ]
  }
}

function histogramOf(method: string, { counts, sumMs }: Latencies): Sample[] {
  const requests: Readonly<Record<string, RequestSpec>> = trackerProtocol.requests
  const labels = { method, kind: requests[method]?.mutates === true ? 'command' : 'query' }
  let count = 0
  const buckets = [...bucketsMs, Infinity].map((endMs, index): Sample => {
    count += counts[index] ?? 0
    const le = endMs === Infinity ? '+Inf' : String(endMs / 1000)
    return { suffix: '_bucket', labels: { ...labels, le }, value: count }
  })
  return [
    ...buckets,
    { suffix: '_sum', labels, value: sumMs / 1000 },
    { suffix: '_count', labels, value: count },
  ]
}
