// Commands that were taken and are not applied yet: those collected for the next append, and those in one. Knows
// neither log nor state.

import { BatchSize } from './batch-size.ts'
import { encodeEntry } from './entry.ts'
import { appendBytesMax } from './limits.ts'
import type { Command } from './state/commands.ts'
import type { Outcome } from './state/outcomes.ts'
import { UnderWay } from './state/under-way.ts'

/** A command, and who waits for its outcome. */
interface Pending {
  readonly number: number
  readonly command: Command
  readonly from: string | undefined
  /** How far the log was applied when it came, and when that was, by `performance.now()`. */
  readonly after: number
  readonly cameAtMs: number
  readonly reply: (outcome: Outcome) => void
}

/** What goes into one append. */
export interface Batch {
  readonly entries: string[]
  readonly numbers: number[]
}

/** What a batch says of itself in its entries. */
export interface BatchHeader {
  readonly origin: string
  readonly atMs: number
  /** How far the log is applied; undefined where entries do not say so: version 0.1 does not know this field. */
  readonly position: number | undefined
}

/** Nobody repeats a command at another tracker as soon as this. */
const newForMs = 1000

export class PendingCommands {
  #nextNumber = 0
  #collected: Pending[] = []
  /** In an append, by number. */
  readonly #sent = new Map<number, Pending>()
  /** What they are about. */
  readonly underWay = new UnderWay()
  /** Told how long commands take to apply. */
  readonly batches = new BatchSize()

  get size(): number {
    return this.#collected.length + this.#sent.size
  }

  get hasCollected(): boolean {
    return this.#collected.length > 0
  }

  /** `after`: how far the log is applied. */
  add(command: Command, from: string | undefined, after: number, reply: Pending['reply']): void {
    const [number, cameAtMs] = [this.#nextNumber++, performance.now()]
    this.#collected.push({ number, command, from, after, cameAtMs, reply })
    this.underWay.add(command)
  }

  /** As many of the collected commands as fit into one append; one at least. */
  nextBatch({ origin, atMs, position }: BatchHeader): Batch {
    const entries: string[] = []
    let bytes = 0
    for (const pending of this.#collected) {
      const { number, command, from } = pending
      const after = position === undefined ? undefined : positionOf(pending, position)
      const entry = encodeEntry({ origin, number, atMs, from, after, command })
      bytes += Buffer.byteLength(entry)
      const isFull = bytes > appendBytesMax || entries.length === this.batches.max
      if (isFull && entries.length > 0) break
      entries.push(entry)
    }
    const batch = this.#collected.splice(0, entries.length)
    this.batches.onBatch(batch.length)
    for (const pending of batch) this.#sent.set(pending.number, pending)
    return { entries, numbers: batch.map(({ number }) => number) }
  }

  /** Takes a sent command out; undefined when it is none, or was taken out before. */
  take(number: number): Pending | undefined {
    const pending = this.#sent.get(number)
    if (pending === undefined) return undefined
    this.#sent.delete(number)
    this.underWay.delete(pending.command)
    return pending
  }

  takeAll(): Pending[] {
    const all = [...this.#sent.values(), ...this.#collected]
    this.#sent.clear()
    this.#collected = []
    this.underWay.clear()
    return all
  }
}

/** One that has just come counts as of now, so that somebody with hundreds of commands on their way is not late. */
function positionOf({ after, cameAtMs }: Pending, position: number): number {
  return performance.now() - cameAtMs < newForMs ? position : after
}
