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
  readonly isWithin: boolean
  /** Each part of the visit, as multiples. */
  readonly parts: string
  /** All medians that were taken, as multiples, where it was more than one. */
  readonly quoted: string
}

type Part = keyof Visit

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

  /** Takes the time beside an attack. */
  async beside(): Promise<Noticed> {
    await pause(leadMs)
    const tries: Noticed[] = []
    while (tries.length < triesMax) {
      const visits: Visit[] = []
      while (visits.length < this.#visits) visits.push(await this.#visit())
      const noticed = this.#compare(visits)
      tries.push(noticed)
      if (noticed.isWithin) break
    }
    const best = tries.toSorted((a, b) => a.besideMs - b.besideMs)[0] as Noticed
    return { ...best, quoted: tries.map(({ parts }) => parts).join(' | then ') }
  }

  #compare(beside: readonly Visit[]): Noticed {
    const alone = this.#alone
    const ratio = (part: Part): number =>
      median(beside.map((visit) => visit[part])) / median(alone.map((visit) => visit[part]))
    const [comes, asks, fetches] = [ratio('comes'), ratio('asks'), ratio('fetches')]
    const parts = `comes ${comes.toFixed(2)}, asks ${asks.toFixed(2)}, fetches ${fetches.toFixed(2)}`
    return {
      aloneMs: median(alone.map(wholeOf)),
      besideMs: median(beside.map(wholeOf)),
      isWithin: Math.max(comes, asks, fetches) <= boundTime,
      parts,
      quoted: parts,
    }
  }
}

function wholeOf({ comes, asks, fetches }: Visit): number {
  return comes + asks + fetches
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
