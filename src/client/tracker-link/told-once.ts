// Filters notifications: those of another community, and duplicates. Every tracker sends them all and a person wants
// each once, from the first tracker that sends it: any one of them may hang.

import type { Told } from './tracker-connection.ts'

/** Distinct notifications to remember. A forgotten one is shown twice at worst. */
const rememberedMax = 1000

interface Known {
  /** How often it was news. */
  times: number
  /** How often each tracker has reported it. Starts at `times` when the tracker connects. */
  readonly toldBy: Map<object, number>
}

export class ToldOnce {
  readonly #known = new Map<string, Known>()

  /** A tracker that has just connected does not repeat earlier notifications. */
  onConnected(teller: object): void {
    for (const known of this.#known.values()) known.toldBy.set(teller, known.times)
  }

  /** Called at logout. */
  clear(): void {
    this.#known.clear()
  }

  onGone(teller: object): void {
    for (const known of this.#known.values()) known.toldBy.delete(teller)
  }

  /** Whether this tracker is the first to report this occurrence. A later occurrence is news again. */
  isNews(teller: object, what: object): boolean {
    const key = JSON.stringify(what)
    const known = this.#known.get(key) ?? { times: 0, toldBy: new Map<object, number>() }
    const times = (known.toldBy.get(teller) ?? 0) + 1
    known.toldBy.set(teller, times)
    // Moves it to the end: the least recently reported is forgotten first.
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

/** Wraps handlers to ignore notifications while `isOther`: they are from a tracker of another community. */
export function unless(isOther: () => boolean, told: Told): Told {
  const heard = Object.entries(told).map(([method, tell]) => [
    method,
    (params: never) => {
      if (!isOther()) tell(params)
    },
  ])
  return Object.fromEntries(heard) as Told
}
