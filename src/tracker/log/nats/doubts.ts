// Notes what the log seems to lack, and since when: a server that was just elected may briefly know less.

type Subject = 'end' | 'message' | 'snapshot' | 'stream'

export class Doubts {
  readonly #patienceMs: number
  readonly #sinceMs = new Map<Subject, number>()

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** Notes the doubt; returns whether it has lasted so long that it must be believed. */
  lasts(about: Subject): boolean {
    const sinceMs = this.#sinceMs.get(about) ?? performance.now()
    this.#sinceMs.set(about, sinceMs)
    // A snapshot that the servers have lost is written anew by a tracker that runs, once it believes that.
    const patienceMs = about === 'snapshot' ? 6 * this.#patienceMs : this.#patienceMs
    return performance.now() - sinceMs > patienceMs
  }

  /** The doubt was unfounded. */
  settle(about: Subject): void {
    this.#sinceMs.delete(about)
  }
}
