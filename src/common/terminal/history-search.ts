// Search backwards in what was typed, letter by letter, as shells do on Ctrl-R. Pure.

import type { Key } from 'node:readline'

/** What a key does to a search: it goes on, takes the line over, runs it, or gives up and leaves the line as it was. */
export type SearchStep = 'on' | 'take' | 'run' | 'give-up'

export class HistorySearch {
  readonly #newestFirst: readonly string[]
  #query = ''
  /** Of the line that was found. */
  #at = 0
  #found = ''
  #hasFailed = false

  constructor(newestFirst: readonly string[]) {
    this.#newestFirst = newestFirst
  }

  /** The line that was found; empty before anything was. */
  get found(): string {
    return this.#found
  }

  get promptText(): string {
    return `(${this.#hasFailed ? 'not in the history' : 'history'}) ${this.#query}: `
  }

  /** `take` goes for any other key, which then does in the line what it always does. */
  onKey(text: string | undefined, { name, ctrl = false, meta = false }: Key): SearchStep {
    if (ctrl && name === 'r') this.#find(this.#hasFailed || this.#found === '' ? this.#at : this.#at + 1)
    else if (name === 'backspace') {
      this.#query = this.#query.replace(/.$/su, '')
      this.#find(0)
    } else if (ctrl && (name === 'g' || name === 'c')) return 'give-up'
    else if (name === 'return' || name === 'enter') return 'run'
    else if (text !== undefined && !ctrl && !meta && !/\p{Cc}/u.test(text)) {
      this.#query += text
      // The line that stands there may still fit.
      this.#find(this.#at)
    } else return 'take'
    return 'on'
  }

  #find(from: number): void {
    if (this.#query === '') {
      this.#found = ''
      this.#at = 0
      this.#hasFailed = false
      return
    }
    const at = this.#newestFirst.findIndex(
      (line, index) =>
        index >= from && line.includes(this.#query) && (index === from || line !== this.#found),
    )
    this.#hasFailed = at === -1
    if (at === -1) return
    this.#at = at
    this.#found = this.#newestFirst[at] ?? ''
  }
}
