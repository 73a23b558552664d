// Runs campaigns in turn, each in its own process so that a failure stops no other, and summarises the results.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Report } from './figures.ts'

export interface Campaign {
  /** As people call it: `crash:tracker`. */
  readonly name: string
  /** The path of its program, in TypeScript. */
  readonly file: string
  /** Its arguments: `['--kills', '330']`. */
  readonly words: readonly string[]
}

export interface Outcome {
  readonly name: string
  /** The exit code: 0 when nothing was wrong; undefined when a signal ended the process. */
  readonly code: number | undefined
  readonly seconds: number
  /** What it reported, in order. */
  readonly reports: readonly Report[]
}

/** Calls `onBegin` before each; their output goes where this program's output goes, or nowhere. */
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

/** `failed`: it said so, did not come to its end, or reported nothing. */
export function resultOf({ code, reports }: Outcome): 'ok' | 'failed' | 'skipped' {
  if (code !== 0 || reports.length === 0) return 'failed'
  return reports.some(({ skipped }) => skipped === undefined) ? 'ok' : 'skipped'
}

/** A line for each campaign, below it one with the counts of each of its reports, and a last line with the totals. */
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

/** Times are left out: they are in the campaign's own table. */
function countsOf(rows: Report['rows']): string {
  const counts = rows.filter(([, figure]) => !figure.endsWith(' ms'))
  return counts.map(([what, figure]) => `${what} ${figure}`).join(', ')
}

function timeOf(seconds: number): string {
  const whole = Math.round(seconds)
  return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`
}
