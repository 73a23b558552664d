// Turns of which the peers hear before their time comes, under an upload limit: soon enough that each can say that the
// piece is coming from elsewhere by now, however far away it is. Pure: callers pass in times.
//
// Peers that are far apart choose the same piece for the same downloader before it can tell them. What it takes back in
// time costs nothing. What is chosen in place of that must be told in time too, so choices are made well before.
//
// A peer that says a piece is coming from elsewhere will most likely take it back here too, as soon as it hears of the
// choice: until then that turn is doubted, and others come first.

import type { Line, Turn } from './upload-order.ts'

/** Choices are told so many round trips before their turn: one for what is taken back, one for what comes in its place. */
const roundTripsAhead = 2
/** Told so shortly before, it makes no difference: a limit lets the next turn begin when the last bytes wait for it. */
const leadMinMs = 25
/** What was chosen long ago may be with many others by now. */
const leadMaxMs = 500
const aheadMax = 8
/** Of one peer, with what it is being sent: enough that who has two turns for one of others gets them. */
export const turnsOfPeerMax = 4
/** A peer may seem to be farther away than any is: it is busy, or wants to seem so. */
const roundTripMaxMs = 500

/** Share of the last turn in the average of round trips. */
const shareOfLast = 0.1

interface TurnAhead<Peer, Load> {
  readonly turn: Turn<Peer, Load>
  /** When the peer may have said no. */
  readonly settledAtMs: number
  /** The peer said meanwhile that it is coming from elsewhere. */
  isDoubted: boolean
}

export class TurnsAhead<Peer, Load> {
  readonly #turns: TurnAhead<Peer, Load>[] = []
  /** Average of the peers that had turns of late, in milliseconds; undefined before the first. */
  #roundTripMs: number | undefined

  /** Whether there is none that is not doubted. */
  get isEmpty(): boolean {
    return this.#turns.every(({ isDoubted }) => isDoubted)
  }

  /** How long before its turn a choice should be made, in milliseconds; 0 where all are near. */
  get leadMs(): number {
    const leadMs = roundTripsAhead * (this.#roundTripMs ?? 0)
    return leadMs < leadMinMs ? 0 : Math.min(leadMs, leadMaxMs)
  }

  /** Whether to choose one more, when the turns that began are over in `leftMs` and others take `msPerTurn` each. */
  wantsMore(leftMs: number, msPerTurn: number): boolean {
    let count = 0
    for (const { isDoubted } of this.#turns) if (!isDoubted) count++
    return count < aheadMax && leftMs + count * msPerTurn <= this.leadMs
  }

  /** A peer so far away has a turn. */
  onTurn(roundTripMs: number): void {
    const lastMs = Math.min(roundTripMs, roundTripMaxMs)
    const before = this.#roundTripMs ?? lastMs
    this.#roundTripMs = before + shareOfLast * (lastMs - before)
  }

  /** The peer, so far away, is told of its turn now. */
  add(turn: Turn<Peer, Load>, roundTripMs: number, nowMs: number): void {
    this.#turns.push({ turn, settledAtMs: nowMs + roundTripMs, isDoubted: false })
  }

  /**
   * Takes out what to send next: the first that its peer could have taken back, else the one that soonest could.
   * Undefined when all are doubted that could not, or not allowed.
   */
  next(
    nowMs: number,
    isAllowed: (line: Line<Peer, Load>) => boolean = () => true,
  ): Turn<Peer, Load> | undefined {
    let best: TurnAhead<Peer, Load> | undefined
    for (const one of this.#turns) {
      if (!isAllowed(one.turn.line)) continue
      if (one.isDoubted && nowMs < one.settledAtMs) continue
      if (best === undefined || Math.max(one.settledAtMs, nowMs) < Math.max(best.settledAtMs, nowMs))
        best = one
    }
    if (best === undefined) return undefined
    this.#turns.splice(this.#turns.indexOf(best), 1)
    return best.turn
  }

  /** The peer took its request back; false when that has no turn here. */
  cancel(peer: Peer, id: number): boolean {
    const at = this.#turns.findIndex(({ turn }) => turn.line.peer === peer && turn.id === id)
    const [cancelled] = at === -1 ? [] : this.#turns.splice(at, 1)
    if (cancelled === undefined) return false
    cancelled.turn.line.busy--
    return true
  }

  /** The peer said that such a piece is coming from elsewhere. Returns whether that makes a turn doubted. */
  onTaken(peer: Peer, isIt: (load: Load) => boolean): boolean {
    const found = this.#turns.find(({ turn }) => turn.line.peer === peer && isIt(turn.load))
    if (found === undefined) return false
    found.isDoubted = true
    return true
  }

  onPeerGone(peer: Peer): void {
    for (const { turn } of this.#turns.filter(({ turn }) => turn.line.peer === peer))
      this.cancel(peer, turn.id)
  }

  /** How many turns of the peer have been chosen here and have not begun. */
  countOf(line: Line<Peer, Load>): number {
    return this.#turns.filter(({ turn }) => turn.line === line).length
  }
}
