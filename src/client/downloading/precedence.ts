// Which downloads go first. While one of a higher priority receives, those of a lower one ask for pieces by what the
// higher ones were given: one for each nine, and more for as long as that takes nothing from the higher ones.
//
// Requests are held back, not what arrives: then nothing waits in sockets, where it would hold memory of the senders and
// take their turns, and it makes no difference what is scarce: a limit, the line or a sender.

import { priorities, type Priority } from '../operations.ts'
import { Yielding } from './yielding.ts'

/** A download, as it is named to people. */
export interface Ranked {
  readonly group: string
  readonly name: string
}

/** A download that was sent nothing for this long holds back nobody. */
const silentMs = 10_000
/** One that begins has so long to receive something: until then others would ask for what it is about to need. */
const beginningMs = 1000

/** The running downloads of one priority. */
interface Level {
  /** Whose turn is longest ago comes first. */
  readonly running: Set<Rank>
  /** How these go behind the levels above. */
  readonly yielding: Yielding
  /** When any of the running ones was last sent something. */
  heardAtMs: number
}

export class Precedence {
  readonly #nowMs: () => number
  readonly #levels: Readonly<Record<Priority, Level>> = {
    high: newLevel(),
    normal: newLevel(),
    low: newLevel(),
  }

  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs
  }

  /** The rank of a download that does not run yet. */
  rank(file: Ranked, priority: Priority = 'normal'): Rank {
    return new Rank(this, file, priority)
  }

  /** Called by ranks only, like all that follows. */
  enter(rank: Rank): void {
    const level = this.#levels[rank.priority]
    level.running.add(rank)
    rank.heardAtMs = this.#nowMs() - silentMs + beginningMs
    level.heardAtMs = Math.max(level.heardAtMs, rank.heardAtMs)
  }

  leave(rank: Rank): void {
    const level = this.#levels[rank.priority]
    level.running.delete(rank)
    level.heardAtMs = Math.max(-Infinity, ...[...level.running].map(({ heardAtMs }) => heardAtMs))
    // Otherwise they would find out a quarter of a second later.
    for (const lower of below(rank.priority)) {
      const { running } = this.#levels[lower]
      if (running.size > 0 && this.#ahead(lower) === undefined) for (const each of [...running]) each.onTurn()
    }
  }

  mayAsk({ priority }: Rank, wantsMore: boolean): boolean {
    if (this.#ahead(priority) === undefined) return true
    const { yielding } = this.#levels[priority]
    return wantsMore ? yielding.mayAsk(this.#nowMs()) : yielding.hasTurn
  }

  onAsked(rank: Rank): void {
    if (this.#ahead(rank.priority) === undefined) return
    const { running, yielding } = this.#levels[rank.priority]
    yielding.onAsked()
    running.delete(rank)
    running.add(rank)
  }

  onPiece(rank: Rank): void {
    this.#onHeard(rank)
    for (const lower of below(rank.priority)) {
      const { running, yielding } = this.#levels[lower]
      if (running.size === 0 || this.#ahead(lower) !== rank.priority) continue
      yielding.onPieceAhead()
      for (const each of [...running]) {
        if (!yielding.hasTurn) break
        each.onTurn()
      }
    }
  }

  onBytes(rank: Rank, bytes: number): void {
    const nowMs = this.#onHeard(rank)
    for (const lower of below(rank.priority)) {
      const { running, yielding } = this.#levels[lower]
      if (running.size > 0) yielding.onBytesAhead(bytes, nowMs)
    }
  }

  goesFirst({ priority }: Rank): Ranked | undefined {
    const ahead = this.#ahead(priority)
    if (ahead === undefined || !this.#levels[priority].yielding.isHeldBack(this.#nowMs())) return undefined
    const [latest] = [...this.#levels[ahead].running].toSorted((a, b) => b.heardAtMs - a.heardAtMs)
    return latest?.file
  }

  #onHeard(rank: Rank): number {
    const nowMs = this.#nowMs()
    rank.heardAtMs = nowMs
    this.#levels[rank.priority].heardAtMs = nowMs
    return nowMs
  }

  /** The next higher priority of which a download receives. */
  #ahead(priority: Priority): Priority | undefined {
    return above(priority).findLast((higher) => {
      const { running, heardAtMs } = this.#levels[higher]
      return running.size > 0 && this.#nowMs() - heardAtMs < silentMs
    })
  }
}

/** The rank of one download among those that run. */
export class Rank {
  readonly file: Ranked
  /** When it was last sent something, while it runs. */
  heardAtMs = -Infinity
  readonly #precedence: Precedence
  #priority: Priority
  #onTurn: (() => void) | undefined

  constructor(precedence: Precedence, file: Ranked, priority: Priority) {
    this.#precedence = precedence
    this.file = file
    this.#priority = priority
  }

  get priority(): Priority {
    return this.#priority
  }

  setPriority(priority: Priority): void {
    const onTurn = this.#onTurn
    this.leave()
    this.#priority = priority
    if (onTurn === undefined) return
    this.enter(onTurn)
    onTurn()
  }

  /** It asks for pieces from now on. `onTurn`: it may be able to ask for more. */
  enter(onTurn: () => void): void {
    this.#onTurn = onTurn
    this.#precedence.enter(this)
  }

  /** It asks for no more. May be repeated. */
  leave(): void {
    if (this.#onTurn === undefined) return
    this.#onTurn = undefined
    this.heardAtMs = -Infinity
    this.#precedence.leave(this)
  }

  /** Whether it may ask for a piece. `wantsMore`: it would. */
  mayAsk(wantsMore = true): boolean {
    return this.#precedence.mayAsk(this, wantsMore)
  }

  /** A piece was asked for. */
  onAsked(): void {
    this.#precedence.onAsked(this)
  }

  /** A whole piece has arrived. */
  onPiece(): void {
    if (this.#onTurn !== undefined) this.#precedence.onPiece(this)
  }

  /** Call several times a second: so many bytes have arrived since the last time. */
  onBytes(bytes: number): void {
    if (bytes > 0 && this.#onTurn !== undefined) this.#precedence.onBytes(this, bytes)
  }

  /** Another download that it waits for; undefined when it is not held back. */
  goesFirst(): Ranked | undefined {
    return this.#precedence.goesFirst(this)
  }

  /** Called by the precedence only. */
  onTurn(): void {
    this.#onTurn?.()
  }
}

function newLevel(): Level {
  return { running: new Set(), yielding: new Yielding(), heardAtMs: -Infinity }
}

function above(priority: Priority): readonly Priority[] {
  return priorities.slice(0, priorities.indexOf(priority))
}

function below(priority: Priority): readonly Priority[] {
  return priorities.slice(priorities.indexOf(priority) + 1)
}
