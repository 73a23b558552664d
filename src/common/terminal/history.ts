// What a person has typed before: in this run, and across runs where there is a file for it, a line a command.

import { appendFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { systemCode } from '../failure.ts'

/** As many lines as can be gone back to. */
export const historyLinesMax = 1000

export class History {
  readonly #rememberable: (line: string) => string | undefined
  readonly #path: string | undefined
  readonly #lines: string[]

  /**
   * `rememberable`: the line without secrets, undefined for one that is better forgotten. `path`: undefined for a history
   * of this run only.
   */
  constructor(rememberable: (line: string) => string | undefined, path?: string) {
    this.#rememberable = rememberable
    this.#path = path
    this.#lines = path === undefined ? [] : read(path)
  }

  /** Newest first. */
  get newestFirst(): string[] {
    return this.#lines.toReversed()
  }

  /** Remembers what may be remembered of a line; returns that. */
  add(line: string): string | undefined {
    const kept = this.#rememberable(line)
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
