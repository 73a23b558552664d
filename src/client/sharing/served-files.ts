// The shared files that are being served, by group and name. Looks at each every now and then: nobody may ever
// ask for one that was removed, and it would stay listed.

import { setImmediate } from 'node:timers/promises'
import { keyOf } from '../file-key.ts'
import type { RememberedShare } from '../storage/user-store.ts'
import type { Offer } from './source-registry.ts'

/** A share that is being served, or will be when its file is back: then it has no offer. */
export interface Served {
  readonly share: RememberedShare
  readonly file: { look(): Promise<void>; close(): void }
  readonly offer: Offer | undefined
}

/** Each file is looked at about this often … */
const sweepSeconds = 10
/** … but no more of them a second than this. */
const looksPerSecondMax = 100
const droppedAtOnce = 500

export class ServedFiles {
  readonly #served = new Map<string, Served>()
  readonly #sweep: NodeJS.Timeout
  /** Where the last look ended. */
  #toLookAt: Iterator<Served> | undefined

  constructor() {
    this.#sweep = setInterval(() => this.#look(), 1000).unref()
  }

  find(file: { group: string; name: string }): Served | undefined {
    return this.#served.get(keyOf(file))
  }

  /** Takes the place of what was served under this name; peers that lose it by that hear why. */
  put(served: Served, why: string): void {
    const former = this.find(served.share)
    this.#served.set(keyOf(served.share), served)
    // After the new one is there: if it has the same content, that goes on being served.
    if (former !== undefined) end(former, why)
  }

  drop(file: { group: string; name: string }, why: string): void {
    const served = this.find(file)
    if (served === undefined) return
    this.#served.delete(keyOf(file))
    end(served, why)
  }

  /** Drops all, some at a time: thousands at once would stop the loop. */
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
