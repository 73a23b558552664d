// What the log has seemed to lack, and since when: a server that was just elected may know less for a moment.

type Subject = 'end' | 'message' | 'snapshot' | 'stream'

export class Doubts {
  readonly #patienceMs: number
  readonly #sinceMs = new Map<Subject, number>()

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** Whether this has seemed so for so long that it has to be believed. */
  lasts(about: Subject): boolean {
    const sinceMs = this.#sinceMs.get(about) ?? performance.now()
    this.#sinceMs.set(about, sinceMs)
    return performance.now() - sinceMs > this.#patienceMs
  }

  /** It was there. */
  settle(about: Subject): void {
    this.#sinceMs.delete(about)
  }
}
