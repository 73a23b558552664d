// Decides when watchers are told of changes in a swarm: at once after a quiet time, and then paced, the slower the
// more watchers there are. So endless coming and going, or a thousand who come together, cost one round.

import { newsPaceMaxMs, newsPaceMinMs, newsPaceMsPerWatcher } from '../limits.ts'
import { Slices } from './slices.ts'
import type { Swarm } from './swarm.ts'

export class SwarmNews {
  readonly #nowMs: () => number
  readonly #slices: Slices
  /** When each swarm was told last; kept while a round is due, or the pace of the last one lasts. */
  readonly #toldAtMs = new Map<Swarm, number>()
  readonly #changed = new Set<Swarm>()
  /** Swarms whose round is not at its end. */
  readonly #underWay = new Set<Swarm>()
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined

  constructor(nowMs: () => number = () => performance.now(), slices = new Slices()) {
    this.#nowMs = nowMs
    this.#slices = slices
  }

  onChange(swarm: Swarm): void {
    this.#changed.add(swarm)
    this.#schedule()
  }

  /** Its watchers have been told that it is gone. */
  onGone(swarm: Swarm): void {
    this.#changed.delete(swarm)
    this.#toldAtMs.delete(swarm)
    this.#underWay.delete(swarm)
  }

  #schedule(): void {
    if (this.#timer !== undefined) return
    let dueAtMs = Infinity
    for (const swarm of this.#changed) dueAtMs = Math.min(dueAtMs, this.#dueAtMs(swarm))
    if (dueAtMs === Infinity) return
    const waitMs = dueAtMs - this.#nowMs()
    // At the end of the turn at the earliest, so that an announce of a hundred files makes one round.
    if (waitMs <= 0) this.#timer = setImmediate(() => this.#tell())
    else this.#timer = setTimeout(() => this.#tell(), waitMs).unref()
  }

  /** Never while its last round is under way. */
  #dueAtMs(swarm: Swarm): number {
    if (this.#underWay.has(swarm)) return Infinity
    const paceMs = Math.min(newsPaceMaxMs, Math.max(newsPaceMinMs, swarm.watchCount * newsPaceMsPerWatcher))
    return (this.#toldAtMs.get(swarm) ?? -Infinity) + paceMs
  }

  #tell(): void {
    this.#timer = undefined
    const nowMs = this.#nowMs()
    for (const swarm of this.#changed) {
      if (this.#dueAtMs(swarm) > nowMs) continue
      this.#changed.delete(swarm)
      this.#underWay.add(swarm)
      this.#slices.add(this.#round(swarm))
    }
    for (const swarm of this.#toldAtMs.keys()) {
      if (!this.#changed.has(swarm) && this.#dueAtMs(swarm) <= nowMs) this.#toldAtMs.delete(swarm)
    }
    this.#schedule()
  }

  *#round(swarm: Swarm): Generator<void> {
    for (const watch of swarm.beginRound()) {
      if (!watch.isOver) watch.login.news.add(watch)
      yield
    }
    if (!this.#underWay.delete(swarm)) return
    this.#toldAtMs.set(swarm, this.#nowMs())
    this.#schedule()
  }
}
