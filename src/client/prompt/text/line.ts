// A line of output: its text, and its style on a terminal. Every line is escaped here, before any colour is
// added, so that no name or sentence from outside reaches a terminal unescaped.

import type { ChalkInstance } from 'chalk'
import { escapeText } from '../../../common/escape.ts'

/** `good`, `bad` and `waiting` colour the first word; `faint` is for hints and details. */
export type Tone = 'good' | 'bad' | 'waiting' | 'faint'

export interface Line {
  readonly text: string
  readonly tone?: Tone
}

export interface Screen {
  show(lines: readonly Line[]): void
}

export function plainLine(line: Line): string {
  return escapeText(line.text)
}

export function paintedLine(line: Line, chalk: ChalkInstance): string {
  const text = escapeText(line.text)
  if (line.tone === undefined) return text
  if (line.tone === 'faint') return chalk.dim(text)
  const colour = { good: chalk.green, bad: chalk.red, waiting: chalk.yellow }[line.tone]
  const firstWord = /^\S*/.exec(text)?.[0] ?? ''
  return colour(firstWord) + text.slice(firstWord.length)
}

export function errorLine(sentence: string): Line {
  return { text: `error: ${sentence}`, tone: 'bad' }
}
