// All load generators together, each a process with its part of the clients.

import { Generator } from '../tracker/generator.ts'
import { LatencySample, type Latencies } from '../tracker/latencies.ts'
import type { PeopleOrder, PeopleReport } from './people.ts'

/** Few clients in each, so that its own garbage collections do not count as the tracker's latency. */
const clientsEach = 2_500

/** What all of them have seen. */
export interface CrewReport {
  readonly latencies: Latencies
  /** See `PeopleReport`; sorted. */
  readonly backAtMs: Float64Array
  readonly passwordLogins: number
  readonly calls: number
  readonly handshakes: number
  readonly left: number
  readonly groups: number
  /** Steps of groups that failed, and other sentences about what should not happen. */
  readonly troubles: ReadonlyMap<string, number>
  /** The load of the busiest generator, as a share of a core. */
  readonly load: number
}

export class Crew {
  readonly #parts: readonly {
    generator: Generator<PeopleOrder, PeopleReport>
    first: number
    count: number
  }[]

  constructor(clients: number) {
    const processes = Math.ceil(clients / clientsEach)
    this.#parts = Array.from({ length: processes }, (_, index) => {
      const first = Math.floor((index * clients) / processes)
      const count = Math.floor(((index + 1) * clients) / processes) - first
      return { generator: new Generator(new URL('people.ts', import.meta.url)), first, count }
    })
  }

  /** `atOnce`: logins in progress at the same time, of all generators together. */
  come(trackerPort: number, atOnce: number, seed: number): Promise<CrewReport> {
    const each = Math.max(1, Math.round(atOnce / this.#parts.length))
    return this.#run(({ first, count }) => ({
      what: 'come',
      trackerPort,
      first,
      count,
      atOnce: each,
      seed: seed + first,
    }))
  }

  run(order: Exclude<PeopleOrder, { what: 'come' }>): Promise<CrewReport> {
    return this.#run(() => order)
  }

  async end(): Promise<void> {
    await Promise.all(this.#parts.map(({ generator }) => generator.end()))
  }

  async #run(order: (part: { first: number; count: number }) => PeopleOrder): Promise<CrewReport> {
    const reports = await Promise.all(this.#parts.map((part) => part.generator.run(order(part))))
    const sum = (of: (report: PeopleReport) => number): number =>
      reports.reduce((total, report) => total + of(report), 0)
    return {
      latencies: LatencySample.of(reports.map(({ latencies }) => latencies)).summary,
      backAtMs: Float64Array.from(reports.flatMap(({ backAtMs }) => [...backAtMs])).sort(),
      passwordLogins: sum(({ passwordLogins }) => passwordLogins),
      calls: sum(({ calls }) => calls),
      handshakes: sum(({ handshakes }) => handshakes),
      left: sum(({ churned }) => churned?.left ?? 0),
      groups: sum(({ churned }) => churned?.groups ?? 0),
      troubles: added(reports.flatMap(({ troubles, churned }) => [troubles, churned?.failed ?? new Map()])),
      load: Math.max(...reports.map(({ load }) => load)),
    }
  }
}

function added(counts: readonly ReadonlyMap<string, number>[]): Map<string, number> {
  const all = new Map<string, number>()
  for (const [what, count] of counts.flatMap((each) => [...each])) all.set(what, (all.get(what) ?? 0) + count)
  return all
}
