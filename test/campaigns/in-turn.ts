// Runs campaigns one after the other, each in a process of its own so that what goes wrong in one stops no other,
// and makes a summary of what they came to.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Report } from './figures.ts'

export interface Campaign {
  /** As people call it: `crash:tracker`. */
  readonly name: string
  /** The path of its program, in TypeScript. */
  readonly file: string
  /** What it is told: `['--kills', '330']`. */
  readonly words: readonly string[]
}

export interface Outcome {
  readonly name: string
  /** Of the process: 0 when nothing was wrong; undefined when a signal ended it. */
  readonly code: number | undefined
  readonly seconds: number
  /** What it reported, in order. */
  readonly reports: readonly Report[]
}

/** Tells of each before it begins; what they print goes where this program's output goes, or nowhere. */
export async function runInTurn(
  campaigns: readonly Campaign[],
  onBegin: (campaign: Campaign) => void,
  output: 'inherit' | 'ignore' = 'inherit',
): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const campaign of campaigns) {
    onBegin(campaign)
    outcomes.push(await run(campaign, output))
  }
  return outcomes
}

async function run({ name, file, words }: Campaign, output: 'inherit' | 'ignore'): Promise<Outcome> {
  const startedMs = performance.now()
  const reports: Report[] = []
  const child = spawn(process.execPath, ['--import', 'tsx', file, ...words], {
    stdio: ['ignore', output, output, 'ipc'],
  })
  child.on('message', (report) => reports.push(report as Report))
  const [code] = (await once(child, 'close')) as [number | null]
  return { name, code: code ?? undefined, seconds: (performance.now() - startedMs) / 1000, reports }
}

/** `failed`: by its own word, or it did not come to its end, or has nothing to report. */
export function resultOf({ code, reports }: Outcome): 'ok' | 'failed' | 'skipped' {
  if (code !== 0 || reports.length === 0) return 'failed'
  return reports.some(({ skipped }) => skipped === undefined) ? 'ok' : 'skipped'
}

/** A line for each campaign, under it one for each of its reports with what was counted, and how many went how. */
export function summaryOf(outcomes: readonly Outcome[]): string[] {
  const results = outcomes.map(resultOf)
  const many = (result: string): number => results.filter((each) => each === result).length
  return [
    ...outcomes.flatMap((outcome) => [
      `${resultOf(outcome).padEnd(8)} ${outcome.name.padEnd(16)} ${timeOf(outcome.seconds)}`,
      ...outcome.reports.map(({ title, rows, skipped }) => `  ${title}: ${skipped ?? countsOf(rows)}`),
    ]),
    `${many('ok')} ok, ${many('failed')} failed, ${many('skipped')} skipped`,
  ]
}

/** Times are left out: they stand in the campaign's own table. */
function countsOf(rows: Report['rows']): string {
  const counts = rows.filter(([, figure]) => !figure.endsWith(' ms'))
  return counts.map(([what, figure]) => `${what} ${figure}`).join(', ')
}

function timeOf(seconds: number): string {
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
}
