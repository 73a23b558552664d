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
  /** Counts accepted connections: while new ones come, work is put off for a few milliseconds. */
  readonly accepted?: () => number
}

interface Owner {
  readonly name: string
  /** Turns asked for, at most one per connection, oldest first. */
  readonly turns: Turn[]
  /** Microseconds of work left in this round. */
  credit: number
  /** Changes begun and not yet answered. */
  changes: number
  isQueued: boolean
}

export class FairTurns implements Turns {
  readonly #options: FairTurnsOptions
  readonly #newcomers: RoomForNewcomers
  readonly #nowMs: () => number
  readonly #soon: (go: () => void) => void
  readonly #owners = new Map<string, Owner>()
  /** Owners with something to do, in the order of their turns. */
  #queue: Owner[] = []
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
    if (owner.turns.length > 0) this.#enqueue(owner)
    else this.#forgetIdle(owner)
    this.#work()
  }

  charge(name: string, microseconds: number): void {
    const owner = this.#owners.get(name)
    if (owner !== undefined) owner.credit -= microseconds
  }

  #ownerOf(name: string): Owner {
    const known = this.#owners.get(name)
    if (known !== undefined) return known
    const owner = { name, turns: [], credit: 0, changes: 0, isQueued: false }
    this.#owners.set(name, owner)
    return owner
  }

  #enqueue(owner: Owner): void {
    if (owner.isQueued || !this.#canGo(owner)) return
    owner.isQueued = true
    this.#queue.push(owner)
  }

  /** Whether its oldest turn may begin. A change that has to wait holds up the turns behind it. */
  #canGo({ turns, changes }: Owner): boolean {
    const [first] = turns
    return first !== undefined && (!first.mutates || changes < this.#options.changesOfOwnerMax)
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
    this.#newcomers.onWorked(this.#nowMs())
  }

  #onNextTurn(): void {
    this.#sliceSinceMs = undefined
    this.#isSliceOver = false
    this.#work()
  }

  /** Serves an owner until its share of this round is used up. */
  #serve(owner: Owner): void {
    for (;;) {
      while (owner.turns[0]?.isGone() === true) owner.turns.shift()
      if (!this.#canGo(owner) || (owner.turns[0]?.cost ?? 0) > owner.credit) break
      const turn = owner.turns.shift()
      if (turn === undefined) break
      owner.credit -= turn.cost
      if (turn.mutates) owner.changes++
      turn.go()
    }
    if (owner.turns.length > 0) this.#enqueue(owner)
    else this.#forgetIdle(owner)
  }

  /** An idle owner saves no share for later. */
  #forgetIdle(owner: Owner): void {
    owner.credit = 0
    if (owner.turns.length === 0 && owner.changes === 0) this.#owners.delete(owner.name)
  }
}
