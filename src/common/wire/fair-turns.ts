// Shares a program's time out between those who ask: owner after owner, and within an owner connection after
// connection. Each round gives an owner the same amount of work (deficit round robin, Shreedhar and Varghese
// 1995), so a thousand requests of one cost another a wait of one. Between slices of work the event loop has
// its turn, so that others are read and answered meanwhile.

import { RoomForNewcomers, type Turn, type Turns } from './turns.ts'

export interface FairTurnsOptions {
  /** Work that each owner has in a round, in microseconds. */
  readonly quantumMicroseconds: number
  /** Work is done for so long before the event loop has its turn. */
  readonly sliceMs: number
  /** Changes of one owner that may be under way at once. */
  readonly changesOfOwnerMax: number
  /** Counts connections that were accepted: while they come, work is put off for a few milliseconds. */
  readonly accepted?: () => number
}

interface Owner {
  readonly name: string
  /** Turns asked for, at most one a connection, oldest first. */
  readonly turns: Turn[]
  /** Microseconds of work that it may still have in this round. */
  credit: number
  /** Changes that have begun and are not answered. */
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
  /** Work of this turn of the event loop began then; undefined before. */
  #sliceSinceMs: number | undefined
  #isWorking = false
  #isSliceOver = false

  /** `soon` calls back after the event loop has had its turn. */
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

  /** Whether its oldest turn can come. One that waits for a place of a change holds up those behind it. */
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

  /** What it asks for until its share of this round is used up. */
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

  /** Whoever asks for nothing keeps no share for later. */
  #forgetIdle(owner: Owner): void {
    owner.credit = 0
    if (owner.turns.length === 0 && owner.changes === 0) this.#owners.delete(owner.name)
  }
}
