// A log broken on purpose: delivers entries, which are then answered, before they are committed. Works for a single
// tracker only, which knows the positions that its entries will get.

import { setTimeout } from 'node:timers/promises'

/** The delay of the commit, in milliseconds, as long as on a busy disk. */
const lateMs = 10

export function deliveringBeforeCommit(Log) {
  return class extends Log {
    #follower
    #position = 0

    follow(follower) {
      this.#follower = follower
      return super.follow({
        onSnapshot: (snapshot) => {
          this.#position = snapshot.position
          follower.onSnapshot(snapshot)
        },
        onEntry: (position, text) => {
          if (position <= this.#position) return
          this.#position = position
          follower.onEntry(position, text)
        },
        onLost: (failure) => follower.onLost(failure),
      })
    }

    async append(entries) {
      for (const text of entries) this.#follower.onEntry(++this.#position, text)
      await setTimeout(lateMs)
      await super.append(entries)
    }
  }
}
