// What a person has typed before, across runs: a line a command in a file of the data folder. Never a password.

import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { systemCode } from '../../common/failure.ts'
import { findCommand } from './commands/program.ts'
import { quoteWord, splitWords } from './text/words.ts'

/** As many lines as can be gone back to. */
export const historyLinesMax = 1000

/**
 * The line without passwords, as it may be remembered; undefined for one that is better forgotten: a line that cannot be
 * split into words may have one anywhere.
 */
export function rememberable(line: string): string | undefined {
  const words = splitWords(line)
  if (!words.ok) return undefined
  const [name = ''] = words.value
  const command = findCommand(name)
  const mayBeMistyped = command === undefined && words.value.length > 1
  // Perhaps `logn ann secret`.
  if (mayBeMistyped) return name
  const { secretsFrom } = command ?? {}
  if (secretsFrom === undefined || words.value.length <= 1 + secretsFrom) return line.trim()
  return words.value
    .slice(0, 1 + secretsFrom)
    .map(quoteWord)
    .join(' ')
}

export class History {
  readonly #path: string | undefined
  readonly #lines: string[]

  /** `path`: undefined for a history of this run only. */
  constructor(path?: string) {
    this.#path = path
    this.#lines = path === undefined ? [] : read(path)
  }

  /** Newest first. */
  get newestFirst(): string[] {
    return this.#lines.toReversed()
  }

  /** Remembers what may be remembered of a line; returns that. */
  add(line: string): string | undefined {
    const kept = rememberable(line)
    if (kept === undefined || kept === '' || kept === this.#lines.at(-1)) return kept
    this.#lines.push(kept)
    if (this.#path === undefined) return kept
    try {
      appendFileSync(this.#path, `${kept}\n`, { mode: 0o600 })
    } catch (error) {
      // A full disk, say: what was typed is only forgotten at the end.
      if (systemCode(error) === undefined) throw error
    }
    return kept
  }
}

function read(path: string): string[] {
  try {
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
    const last = lines.slice(-historyLinesMax)
    // Several terminals add to it, so it is only cut when one starts.
    if (lines.length > 2 * historyLinesMax) writeFileSync(path, last.map((line) => `${line}\n`).join(''))
    chmodSync(path, 0o600)
    return last
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return []
  }
}
