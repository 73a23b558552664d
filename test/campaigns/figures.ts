// The figures of a campaign, and how they are printed.

import type { Findings } from './workload/audit.ts'

/** Of one or more rounds. Times in milliseconds. */
export interface Figures extends Findings {
  kills: number
  readonly restartsMs: number[]
  longestPauseMs: number
}

export function noFigures(): Figures {
  const findings: Findings = { acknowledged: 0, uncertain: 0, lost: 0, twice: 0, half: 0, complaints: [] }
  return { ...findings, kills: 0, restartsMs: [], longestPauseMs: 0 }
}

export function addFindings(figures: Figures, found: Findings): void {
  figures.acknowledged += found.acknowledged
  figures.uncertain += found.uncertain
  figures.lost += found.lost
  figures.twice += found.twice
  figures.half += found.half
  figures.complaints.push(...found.complaints)
}

export function isClean({ lost, twice, half }: Findings): boolean {
  return lost + twice + half === 0
}

/** The rows common to all campaigns of kills. */
export function rowsOf(figures: Figures): [what: string, figure: string][] {
  const sorted = figures.restartsMs.toSorted((a, b) => a - b)
  return [
    ['kill -9', String(figures.kills)],
    ['commands acknowledged', String(figures.acknowledged)],
    ['commands without an answer', String(figures.uncertain)],
    ['acknowledged and lost', String(figures.lost)],
    ['applied twice', String(figures.twice)],
    ['half applied', String(figures.half)],
    ['restart to serving, median', inMs(sorted[Math.floor(sorted.length / 2)] ?? 0)],
    ['restart to serving, longest', inMs(sorted.at(-1) ?? 0)],
    ['longest pause of a client', inMs(figures.longestPauseMs)],
  ]
}

const complaintsShown = 10

/** What a campaign sends to the process that runs several. */
export interface Report {
  readonly title: string
  readonly rows: readonly (readonly [what: string, figure: string])[]
  /** Why it did not run. */
  readonly skipped?: string
}

/** Prints a table, and the first complaints. */
export function report(title: string, rows: Report['rows'], found?: Findings): void {
  tell({ title, rows })
  console.log(`\n${title}`)
  for (const [what, figure] of rows) console.log(`  ${what.padEnd(36)}${figure.padStart(12)}`)
  for (const complaint of found?.complaints.slice(0, complaintsShown) ?? []) console.log(`  ! ${complaint}`)
}

/** Says why a campaign does not run here. */
export function skip(title: string, why: string): void {
  tell({ title, rows: [], skipped: why })
  console.log(`skipped: ${why}`)
}

function tell(what: Report): void {
  process.send?.(what)
}

export function inMs(milliseconds: number): string {
  return `${Math.round(milliseconds)} ms`
}
