// Keeps the shares that are served, by group and name, and checks each of their files now and then: a file that was
// removed would stay listed if nobody asked for it. Those of a folder are checked in turn, a few each second.

import { setImmediate } from 'node:timers/promises'
import { keyOf } from '../file-key.ts'
import type { RememberedShare } from '../storage/user-store.ts'
import type { Offer } from './source-registry.ts'

/** A share that is served, or that has no offer and waits for its file. */
export interface Served {
  readonly share: RememberedShare
  readonly file: {
    /** How many looks see all of it: a folder has many files. */
    readonly looks: number
    readonly changed: readonly string[]
    look(): Promise<void>
    close(): void
  }
  readonly offer: Offer | undefined
}

/** Each file, of folders too, is checked about this often. */
const sweepSeconds = 10
/** At most this many checks a second, with many files less often. */
const looksPerSecondMax = 100
/** Of a folder in its turn; so a large one does not keep the others waiting. */
const looksAtOnce = 25
const droppedAtOnce = 500

export class ServedFiles {
  readonly #served = new Map<string, Served>()
  readonly #sweep: NodeJS.Timeout
  /** Where the next check continues … */
  #toLookAt: Iterator<Served> | undefined
  /** … after so many more looks at this one. */
  #lookingAt: Served | undefined
  #looksLeft = 0
  /** Of all that is served. */
  #looks = 0

  constructor() {
    this.#sweep = setInterval(() => this.#look(), 1000).unref()
  }

  find(file: { group: string; name: string }): Served | undefined {
    return this.#served.get(keyOf(file))
  }

  /** Replaces what was served under this name. `why` is told to peers that lose the content by that. */
  put(served: Served, why: string): void {
    const former = this.find(served.share)
    this.#served.set(keyOf(served.share), served)
    this.#looks += served.file.looks - (former?.file.looks ?? 0)
    // Ended after the new one is there, so that the same content is served without a gap.
    if (former !== undefined) end(former, why)
  }

  drop(file: { group: string; name: string }, why: string): void {
    const served = this.find(file)
    if (served === undefined) return
    this.#served.delete(keyOf(file))
    this.#looks -= served.file.looks
    end(served, why)
  }

  /** Drops all, in portions: thousands at once would block the loop. */
  async close(why: string): Promise<void> {
    clearInterval(this.#sweep)
    let count = 0
    for (const { share } of this.#served.values()) {
      this.drop(share, why)
      if (++count % droppedAtOnce === 0) await setImmediate()
    }
  }

  #look(): void {
    const count = Math.min(looksPerSecondMax, Math.ceil(this.#looks / sweepSeconds))
    for (let look = 0; look < count; look++) {
      if (this.#looksLeft === 0 && !this.#goOn()) return
      this.#looksLeft--
      // One that was dropped meanwhile looks at nothing.
      void this.#lookingAt?.file.look()
    }
  }

  /** To the next one, or to the first; false where there is none. */
  #goOn(): boolean {
    let next = this.#toLookAt?.next()
    if (next === undefined || next.done === true) {
      this.#toLookAt = this.#served.values()
      next = this.#toLookAt.next()
    }
    this.#lookingAt = next.done === true ? undefined : next.value
    this.#looksLeft = Math.min(looksAtOnce, this.#lookingAt?.file.looks ?? 0)
    return this.#looksLeft > 0
  }
}

function end({ file, offer }: Served, why: string): void {
  offer?.withdraw(why)
  file.close()
}
