// Keeps the shares that are served, by group and name, and checks each of their files now and then: a file that was
// removed would stay listed if nobody asked for it.

import { setImmediate } from 'node:timers/promises'
import { keyOf } from '../file-key.ts'
import type { RememberedShare } from '../storage/user-store.ts'
import type { Offer } from './source-registry.ts'

/** A share that is served, or that has no offer and waits for its file. */
export interface Served {
  readonly share: RememberedShare
  readonly file: { look(): Promise<void>; close(): void }
  readonly offer: Offer | undefined
}

/** Each file is checked about this often. */
const sweepSeconds = 10
/** At most this many checks a second, with many files less often. */
const looksPerSecondMax = 100
const droppedAtOnce = 500

export class ServedFiles {
  readonly #served = new Map<string, Served>()
  readonly #sweep: NodeJS.Timeout
  /** Where the next check continues. */
  #toLookAt: Iterator<Served> | undefined

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
    // Ended after the new one is there, so that the same content is served without a gap.
    if (former !== undefined) end(former, why)
  }

  drop(file: { group: string; name: string }, why: string): void {
    const served = this.find(file)
    if (served === undefined) return
    this.#served.delete(keyOf(file))
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
    const count = Math.min(looksPerSecondMax, Math.ceil(this.#served.size / sweepSeconds))
    for (let look = 0; look < count; look++) {
      this.#toLookAt ??= this.#served.values()
      const next = this.#toLookAt.next()
      if (next.done === true) this.#toLookAt = undefined
      else void next.value.file.look()
    }
  }
}

function end({ file, offer }: Served, why: string): void {
  offer?.withdraw(why)
  file.close()
}
