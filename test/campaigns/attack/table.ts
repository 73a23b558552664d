// The table of attacks: a line for each, and one with the details.

import type { Attack, Outcome } from './battle.ts'
import type { Noticed } from './notices.ts'

export interface Row {
  readonly attack: Attack
  readonly outcome: Outcome
  readonly noticed: Noticed
}

const widths = [66, 24, 22, 7, 7, 6]

export const tableHead = columns(['attack', 'attacker', 'tried', 'alone', 'beside', 'ratio', '  got'])

export function linesOf({ attack, outcome, noticed }: Row): string[] {
  const { aloneMs, besideMs, parts, isWithin } = noticed
  const answers = Object.entries(outcome.answers).map(([answer, count]) => `${thousands(count)} × ${answer}`)
  return [
    columns([
      attack.name,
      attack.attacker,
      `${thousands(outcome.tried)} ${attack.unit}`,
      inSeconds(aloneMs),
      inSeconds(besideMs),
      (besideMs / aloneMs).toFixed(2),
      `  ${outcome.got.length === 0 ? 'nothing' : `MORE THAN IT MAY: ${outcome.got.join('; ')}`}`,
    ]),
    `    ${[...answers, ...outcome.facts, `his parts: ${parts}`].join(', ')}`,
    ...(isWithin ? [] : [`  ! more than twice the usual time`]),
  ]
}

/** Why the attack counts as not withstood. */
export function problemsOf({ outcome, noticed }: Row): string[] {
  return [...outcome.got, ...(noticed.isWithin ? [] : [noticed.parts])]
}

function columns(cells: readonly string[]): string {
  return cells
    .map((cell, index) => (index < 3 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0)))
    .join(' ')
}

function thousands(count: number): string {
  return count.toLocaleString('en')
}

function inSeconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
