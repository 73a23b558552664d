// What an honest user notices of an attack: how long his visits take beside it, as a multiple of those before.

import { setTimeout as pause } from 'node:timers/promises'
import type { Visit } from './place.ts'

const boundTime = 2
/** Others use the machine too: a median above the bound is taken again so often. */
const triesMax = 3
/** Undisturbed visits that count: the latest, since the machine is not always as fast. */
const aloneKept = 5
const aloneFirst = 3
/** How long an attack goes on before he comes. */
const leadMs = 1000

export interface Noticed {
  readonly aloneMs: number
  readonly besideMs: number
  /** Whether a visit, and the fetching of a guest, took at most twice the usual time. */
  readonly isWithin: boolean
  /** As multiples: the parts of the visits, and how much longer the whole was, each time that it was taken. */
  readonly parts: string
}

const parts = ['comes', 'asks', 'fetches', 'guest'] as const

export class Notices {
  readonly #visit: () => Promise<Visit>
  readonly #visits: number
  #alone: Visit[] = []

  /** So many visits beside each attack. */
  constructor(visit: () => Promise<Visit>, visits: number) {
    this.#visit = visit
    this.#visits = visits
  }

  /** Takes the time of an undisturbed visit. */
  async alone(): Promise<void> {
    do this.#alone = [...this.#alone, await this.#visit()].slice(-aloneKept)
    while (this.#alone.length < aloneFirst)
  }

  /** His usual time. */
  get aloneMs(): number {
    return this.#wholeMs(this.#alone)
  }

  /** Takes the time beside an attack. `judgesGuest`: of the guest's too. */
  async beside(judgesGuest: boolean): Promise<Noticed> {
    await pause(leadMs)
    const tries: Visit[][] = []
    do tries.push(await this.#severalVisits())
    while (tries.length < triesMax && !this.#isWithin(tries.at(-1), judgesGuest))
    const { aloneMs } = this
    const besideMs = this.#wholeMs(tries.at(-1))
    const wholes = tries.map((visits) => (this.#wholeMs(visits) / aloneMs).toFixed(2))
    return {
      aloneMs,
      besideMs,
      isWithin: this.#isWithin(tries.at(-1), judgesGuest),
      parts: `${this.#compare(tries.at(-1))}${tries.length > 1 ? `; the whole ${wholes.join(' | ')}` : ''}`,
    }
  }

  async #severalVisits(): Promise<Visit[]> {
    const visits: Visit[] = []
    while (visits.length < this.#visits) visits.push(await this.#visit())
    return visits
  }

  #isWithin(beside: readonly Visit[] = [], judgesGuest: boolean): boolean {
    const [now = 0, usual = 0] = [beside, this.#alone].map((visits) =>
      median(visits.map(({ guest }) => guest)),
    )
    const isGuestWithin = !judgesGuest || now <= boundTime * usual
    return isGuestWithin && this.#wholeMs(beside) <= boundTime * this.aloneMs
  }

  #wholeMs(visits: readonly Visit[] = []): number {
    return median(visits.map(({ comes, asks, fetches }) => comes + asks + fetches))
  }

  #compare(beside: readonly Visit[] = []): string {
    return parts
      .map((part) => {
        const [now, usual] = [beside, this.#alone].map((visits) => median(visits.map((visit) => visit[part])))
        return `${part} ${((now ?? 0) / (usual ?? 1)).toFixed(2)}`
      })
      .join(', ')
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
