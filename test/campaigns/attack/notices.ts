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
  /** Whether no part of his visit took more than twice its usual time. */
  readonly isWithin: boolean
  /** Each part, as multiples; of a part that was above the bound, all medians that were taken. */
  readonly parts: string
}

const parts = ['comes', 'asks', 'fetches'] as const
type Times = Record<(typeof parts)[number], number>

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
    const tries: { readonly ratios: Times; readonly wholeMs: number }[] = []
    /** The noise of the machine hits now this part, now that: an attack hits the same one each time. */
    const best = (part: keyof Times): number => Math.min(...tries.map(({ ratios }) => ratios[part]))
    do {
      const visits: Visit[] = []
      while (visits.length < this.#visits) visits.push(await this.#visit())
      tries.push({ ratios: this.#compare(visits), wholeMs: median(visits.map(wholeOf)) })
    } while (tries.length < triesMax && parts.some((part) => best(part) > boundTime))
    return {
      aloneMs: median(this.#alone.map(wholeOf)),
      besideMs: Math.min(...tries.map(({ wholeMs }) => wholeMs)),
      isWithin: parts.every((part) => best(part) <= boundTime),
      parts: parts
        .map((part) => `${part} ${tries.map(({ ratios }) => ratios[part].toFixed(2)).join(' | ')}`)
        .join(', '),
    }
  }

  #compare(beside: readonly Visit[]): Times {
    const ratio = (part: keyof Times): number =>
      median(beside.map((visit) => visit[part])) / median(this.#alone.map((visit) => visit[part]))
    return { comes: ratio('comes'), asks: ratio('asks'), fetches: ratio('fetches') }
  }
}

function wholeOf({ comes, asks, fetches }: Visit): number {
  return comes + asks + fetches
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}
