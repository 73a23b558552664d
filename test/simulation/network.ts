// What is said between members takes its time to arrive, and is lost when one of them is gone by then.

import type { EventQueue } from './event-queue.ts'
import type { Member } from './member.ts'

export class Network {
  readonly #time: EventQueue
  /** Lines sent, of every kind. What is said to many is counted by whoever says it. */
  messages = 0

  constructor(time: EventQueue) {
    this.#time = time
  }

  /** So many `trips` one way, and so much longer. */
  say(from: Member, to: Member, run: () => void, trips = 1, delayMs = 0): void {
    const fromLife = from.life
    const toLife = to.life
    this.messages++
    this.#time.after(trips * from.latencyTo(to) + delayMs, () => {
      if (from.life === fromLife && to.life === toLife && !to.isHung) run()
    })
  }

  /** The same from one to many: one event for all that are as far away. */
  sayToAll(from: Member, to: ReadonlyMap<number, ReadonlySet<Member>>, run: (to: Member) => void): void {
    const { life } = from
    for (const [latencyMs, members] of to) {
      if (members.size === 0) continue
      this.#time.after(latencyMs, () => {
        if (from.life !== life) return
        for (const member of members) if (!member.isHung) run(member)
      })
    }
  }
}
