// Every tracker tells everything, and a person wants to hear it once: from whichever tells it first, since
// the one that usually does may be the one that hangs.

/** Different news that are remembered. What is forgotten could at worst be heard twice. */
const rememberedMax = 1000

interface Known {
  /** How often it was news. */
  times: number
  /** How often each tracker has told it, counted from when it was connected. */
  readonly toldBy: Map<object, number>
}

export class ToldOnce {
  readonly #known = new Map<string, Known>()

  /** A tracker that has just been connected tells nothing of what was news before. */
  onConnected(teller: object): void {
    for (const known of this.#known.values()) known.toldBy.set(teller, known.times)
  }

  /** Nobody is logged in any more, so nobody is told. */
  clear(): void {
    this.#known.clear()
  }

  onGone(teller: object): void {
    for (const known of this.#known.values()) known.toldBy.delete(teller)
  }

  /** Whether this is told for the first time; the same may happen again, and is then news again. */
  isNews(teller: object, what: object): boolean {
    const key = JSON.stringify(what)
    const known = this.#known.get(key) ?? { times: 0, toldBy: new Map<object, number>() }
    const times = (known.toldBy.get(teller) ?? 0) + 1
    known.toldBy.set(teller, times)
    // Put at the end again: what was told last is forgotten last.
    this.#known.delete(key)
    this.#known.set(key, known)
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= rememberedMax) break
      this.#known.delete(oldest)
    }
    if (times <= known.times) return false
    known.times = times
    return true
  }
}
