// Shares a program's time among owners, and an owner's share among its connections. Each round gives every owner the
// same amount of work (deficit round robin, Shreedhar and Varghese 1995), so a thousand requests of one delay another
// by one. Between slices of work the event loop runs, so that others are read and answered meanwhile.

import { RoomForNewcomers, type Turn, type Turns } from './turns.ts'

export interface FairTurnsOptions {
  /** Work of each owner in a round, in microseconds. */
  readonly quantumMicroseconds: number
  /** How long to work before the event loop runs. */
  readonly sliceMs: number
  /** Changes of one owner that may be under way at once. */
  readonly changesOfOwnerMax: number
  /** Changes of all owners likewise. When there are as many, owners with more wait for a place in turn. */
  readonly changesMax?: number
  /** Counts accepted connections: while new ones come, work is put off for a few milliseconds. */
  readonly accepted?: () => number
  /** Sends what was answered in a slice that began after the event loop ran. */
  readonly onSliceDone?: () => void
}

/** Owners that are remembered before the idle ones are forgotten. */
const sweepAtLeast = 1024

interface Owner {
  readonly name: string
  /** Turns asked for, at most one per connection, oldest first. */
  readonly turns: Turn[]
  /** Microseconds of work left in this round; negative when it owes work to others. */
  credit: number
  /** Changes begun and not yet answered. */
  changes: number
  /** The era (`#era`) that a debt belongs to. */
  era: number
  isQueued: boolean
}

export class FairTurns implements Turns {
  readonly #options: FairTurnsOptions
  readonly #newcomers: RoomForNewcomers
  readonly #nowMs: () => number
  readonly #soon: (go: () => void) => void
  readonly #owners = new Map<string, Owner>()
  #sweepAt = sweepAtLeast
  /** Grows whenever nobody waits. Debts are owed to those who wait, so those of earlier eras are forgiven. */
  #era = 0
  /** Owners with something to do, in the order of their turns. */
  #queue: Owner[] = []
  /** Owners whose next turn is a change that waits for a place among those of all, in that order. */
  readonly #blocked = new Set<Owner>()
  #changes = 0
  /** When work began in this turn of the event loop; undefined before. */
  #sliceSinceMs: number | undefined
  #isWorking = false
  #isSliceOver = false

  /** `soon` calls back after the event loop has run. */
  constructor(
    options: FairTurnsOptions,
    nowMs: () => number = () => performance.now(),
    soon: (go: () => void) => void = (go) => void setImmediate(go),
  ) {
    this.#options = options
    this.#newcomers = new RoomForNewcomers(options.accepted ?? (() => 0))
    this.#nowMs = nowMs
    this.#soon = soon
  }

  /** Owners that are remembered. */
  get ownerCount(): number {
    return this.#owners.size
  }

  ask(turn: Turn): void {
    const owner = this.#ownerOf(turn.owner)
    owner.turns.push(turn)
    this.#enqueue(owner)
    this.#work()
  }

  onChanged(name: string): void {
    const owner = this.#owners.get(name)
    if (owner === undefined) return
    owner.changes--
    this.#changes--
    // Behind those that wait already.
    if (!owner.isQueued && this.#isPlaceFree(owner)) this.#blocked.add(owner)
    this.#unblock()
    this.#work()
  }

  charge(name: string, microseconds: number): void {
    const owner = this.#owners.get(name)
    if (owner !== undefined) owner.credit -= microseconds
  }

  #ownerOf(name: string): Owner {
    const known = this.#owners.get(name)
    if (known !== undefined) {
      if (known.era !== this.#era) known.credit = Math.max(0, known.credit)
      known.era = this.#era
      return known
    }
    if (this.#owners.size >= this.#sweepAt) this.#sweep()
    const owner = { name, turns: [], credit: 0, changes: 0, era: this.#era, isQueued: false }
    this.#owners.set(name, owner)
    return owner
  }

  #enqueue(owner: Owner): void {
    if (owner.isQueued) return
    if (this.#canGo(owner)) {
      owner.isQueued = true
      this.#queue.push(owner)
      return
    }
    // While it cannot go it saves up no share.
    owner.credit = Math.min(0, owner.credit)
    if (this.#isPlaceFree(owner)) this.#blocked.add(owner)
  }

  /** As many owners as there are places for changes. */
  #unblock(): void {
    let places = (this.#options.changesMax ?? Infinity) - this.#changes
    for (const owner of this.#blocked) {
      if (places-- <= 0) return
      this.#blocked.delete(owner)
      this.#enqueue(owner)
    }
  }

  /** Whether its oldest turn may begin. A change that has to wait holds up the turns behind it. */
  #canGo(owner: Owner): boolean {
    const [first] = owner.turns
    if (first?.mutates !== true) return first !== undefined
    const { changesMax = Infinity } = this.#options
    return this.#changes < changesMax && this.#isPlaceFree(owner)
  }

  /** Whether it has a next turn, for which its own changes leave a place. */
  #isPlaceFree({ turns, changes }: Owner): boolean {
    return turns.length > 0 && changes < this.#options.changesOfOwnerMax
  }

  /** Serves whoever is queued, until the time of this turn of the event loop is used up. */
  #work(): void {
    if (this.#isWorking || this.#isSliceOver || this.#queue.length === 0) return
    if (this.#sliceSinceMs === undefined) {
      this.#sliceSinceMs = this.#nowMs()
      this.#soon(() => this.#onNextTurn())
      if (this.#newcomers.isNeeded(this.#sliceSinceMs)) {
        this.#isSliceOver = true
        return
      }
    }
    this.#isWorking = true
    for (let owner = this.#queue.shift(); owner !== undefined; owner = this.#queue.shift()) {
      owner.isQueued = false
      owner.credit += this.#options.quantumMicroseconds
      this.#serve(owner)
      this.#isSliceOver = this.#nowMs() - this.#sliceSinceMs >= this.#options.sliceMs
      if (this.#isSliceOver) break
    }
    this.#isWorking = false
    if (this.#queue.length === 0 && this.#blocked.size === 0) this.#era++
    this.#newcomers.onWorked(this.#nowMs())
  }

  #onNextTurn(): void {
    this.#sliceSinceMs = undefined
    this.#isSliceOver = false
    this.#work()
    this.#options.onSliceDone?.()
  }

  /** Serves an owner until its share of this round is used up. */
  #serve(owner: Owner): void {
    for (;;) {
      while (owner.turns[0]?.isGone() === true) owner.turns.shift()
      if (!this.#canGo(owner) || (owner.turns[0]?.cost ?? 0) > owner.credit) break
      const turn = owner.turns.shift()
      if (turn === undefined) break
      owner.credit -= turn.cost
      if (turn.mutates) {
        owner.changes++
        this.#changes++
      }
      turn.go()
    }
    this.#enqueue(owner)
  }

  /** Forgets those who ask for nothing and owe nothing. Not at once, because most come again. */
  #sweep(): void {
    for (const owner of this.#owners.values()) {
      const owes = owner.credit < 0 && owner.era === this.#era
      if (owner.turns.length === 0 && owner.changes === 0 && !owes) this.#owners.delete(owner.name)
    }
    this.#sweepAt = Math.max(sweepAtLeast, 2 * this.#owners.size)
  }
}
