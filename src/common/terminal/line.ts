// A line of output: its text, and its style on a terminal. Every line is escaped here, before any colour is
// added, so that no name or sentence from outside reaches a terminal unescaped.

import type { ChalkInstance } from 'chalk'
import { escapeText } from '../escape.ts'
import { wrapped } from './width.ts'

/** `good`, `bad` and `waiting` colour the first word; `faint` is for hints and details. */
export type Tone = 'good' | 'bad' | 'waiting' | 'faint'

export interface Line {
  readonly text: string
  readonly tone?: Tone
  /** A terminal breaks it between words, and indents what follows by so many columns. */
  readonly hanging?: number
}

export interface ScreenSize {
  readonly columns: number
  readonly rows: number
}

export interface Screen {
  show(lines: readonly Line[]): void
  /** Empties it; a file has nothing to empty. */
  clear?(): void
}

export function plainLine(line: Line): string {
  return escapeText(line.text)
}

/** `columns`: of the terminal, for lines that are broken between words. */
export function paintedLine(line: Line, chalk: ChalkInstance, columns = Infinity): string {
  const escaped = escapeText(line.text)
  const text = line.hanging === undefined ? escaped : wrapped(escaped, columns, line.hanging)
  if (line.tone === undefined) return text
  if (line.tone === 'faint') return chalk.dim(text)
  const colour = { good: chalk.green, bad: chalk.red, waiting: chalk.yellow }[line.tone]
  const firstWord = /^\S*/.exec(text)?.[0] ?? ''
  return colour(firstWord) + text.slice(firstWord.length)
}

export function errorLine(sentence: string): Line {
  return { text: `error: ${sentence}`, tone: 'bad' }
}
