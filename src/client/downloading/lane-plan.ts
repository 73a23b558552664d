// Decides on how many connections one far peer is asked at once, by what arrives. Pure: callers pass in byte counts and
// times, in milliseconds.
//
// A connection that loses a segment now and then halves its rate and takes many round trips to come back, so on a long
// line it gets a small part of what there is; and the buffers of the system bound what is under way on each. Whether it
// is that, or the line is full, cannot be told from one connection. So many are tried at once: to double their number
// step by step would take longer than many a download. Then half as many are asked for a while, and half as many again,
// until less arrives.

/** The most connections to one peer for one file. */
export const lanesMax = 8

/** How many pieces to request on a new connection until the first has come: by then it may send four in a round trip. */
export const aheadOnNew = 12

/** Nearer peers have one: the line is full before that matters. */
export const farMs = 10

/** Whether a round trip, as far as one is known, is a long one. */
export function isFar(roundTripMs: number): boolean {
  return roundTripMs >= farMs && Number.isFinite(roundTripMs)
}

/** Where more give, the connections to them are many already. */
export const giversMax = 3

/** Trials are worth it while so many pieces are missing. */
export const missingMin = 16

/** The rate of one connection is known after this time, or after so many round trips. */
const aloneMs = 250
const aloneRoundTrips = 4

/** New connections have reached their rate after this time, or after so many round trips. */
const settleMs = 750
const settleRoundTrips = 12

/** A rate is that of this time, or of so many round trips. */
const windowMs = 1000
const windowRoundTrips = 10

/** Fewer connections are enough when this much of the rate is left. */
const enough = 0.9

/** With this many times the rate of one connection, there is no haste to try fewer. */
const clearGain = 3

/**
 * Fewer are tried again after this time, then after twice as long each time; where all were opened before anything came, for
 * the first time. A trial costs half of what comes where they are needed, and what is lost at random makes it uncertain.
 */
const firstFewerMs = 30_000
/** After fewer were enough, or the peer did not take more: when all are tried again, likewise. */
const firstMoreMs = 60_000
const longestWaitMs = 10 * 60_000

/** So long something else has to hold the download up until the further connections are closed. */
const uselessMs = 2000

export interface LaneFacts {
  readonly nowMs: number
  /** Of pieces, over all connections to the peer, since the first one. */
  readonly receivedBytes: number
  /** At its shortest. */
  readonly roundTripMs: number
  /** How many connections are open. */
  readonly openCount: number
  /** How many that the peer did not open, or closed, so far. */
  readonly lostCount: number
  /** One that is not asked any more still owes something. */
  readonly awaitsUnasked: boolean
  /** Most comes from this peer, and nothing that is meant to hold it up does. */
  readonly isUseful: boolean
  /** So few peers are known that it will give most: it takes many at once, since to find out first takes round trips. */
  readonly isLikely: boolean
  /** What arrives shows what the line carries, and enough is missing for a trial to be worth it. */
  readonly hasWork: boolean
}

export interface LaneGoal {
  /** How many connections are to be open. */
  readonly open: number
  /** How many of them are to be asked. */
  readonly asked: number
}

interface Window {
  readonly fromMs: number
  readonly fromBytes: number
}

export class LanePlan {
  #open = 1
  #asked = 1
  #lostCount = 0
  /** Of the only connection, until the rate of more is known. */
  #alone: number | undefined
  /** Bytes per millisecond on all that are open, as last measured. */
  #whole = 0
  #window: Window | undefined
  #settledAtMs = 0
  #tryMoreAtMs = 0
  #tryFewerAtMs = 0
  #moreWaitMs = firstMoreMs
  #fewerWaitMs = firstFewerMs
  #usefulAtMs = Number.NEGATIVE_INFINITY

  /** Called several times a second. */
  look(facts: LaneFacts): LaneGoal {
    this.#lookForLost(facts)
    if (facts.isUseful) this.#usefulAtMs = facts.nowMs
    if (this.#open === 1) this.#considerMore(facts)
    else if (!facts.isUseful) this.#hold(facts)
    else if (facts.hasWork) this.#considerFewer(facts)
    else this.#window = undefined
    return { open: this.#open, asked: this.#asked }
  }

  /** The peer, or something on the way, is against it: what there is must do for a while. */
  #lookForLost({ lostCount, openCount, nowMs }: LaneFacts): void {
    if (lostCount === this.#lostCount) return
    this.#lostCount = lostCount
    this.#become(Math.max(1, Math.min(this.#open, openCount)), nowMs)
    this.#waitBeforeMore(nowMs)
  }

  #considerMore({ nowMs, receivedBytes, roundTripMs, isUseful, isLikely, hasWork }: LaneFacts): void {
    const isWanted = isUseful && hasWork && isFar(roundTripMs) && nowMs >= this.#tryMoreAtMs
    if (isWanted && isLikely && receivedBytes === 0 && this.#tryFewerAtMs === 0) {
      this.#waitBeforeFewer(nowMs)
      this.#become(lanesMax, nowMs, roundTripMs)
      return
    }
    if (!isWanted || receivedBytes === 0) {
      this.#window = undefined
      return
    }
    const rate = this.#rateOver(Math.max(aloneMs, aloneRoundTrips * roundTripMs), nowMs, receivedBytes)
    if (rate === undefined) return
    this.#alone = rate
    this.#become(lanesMax, nowMs, roundTripMs)
  }

  #considerFewer({ nowMs, receivedBytes, roundTripMs, awaitsUnasked }: LaneFacts): void {
    // What still comes there would be taken for what the others bring.
    if (awaitsUnasked) this.#settledAtMs = Math.max(this.#settledAtMs, nowMs + roundTripMs)
    if (nowMs < this.#settledAtMs) return
    const rate = this.#rateOver(Math.max(windowMs, windowRoundTrips * roundTripMs), nowMs, receivedBytes)
    if (rate === undefined) return
    if (this.#asked === this.#open) {
      this.#whole = rate
      if (this.#alone !== undefined && rate >= clearGain * this.#alone) this.#waitBeforeFewer(nowMs)
      this.#alone = undefined
      if (this.#open < lanesMax && nowMs >= this.#tryMoreAtMs) this.#become(lanesMax, nowMs, roundTripMs)
      else if (nowMs >= this.#tryFewerAtMs) this.#ask(Math.ceil(this.#open / 2), nowMs, roundTripMs)
    } else if (rate < enough * this.#whole) {
      this.#ask(this.#open, nowMs, roundTripMs)
      this.#waitBeforeFewer(nowMs)
      if (this.#open < lanesMax) this.#waitBeforeMore(nowMs)
    } else {
      this.#whole = rate
      this.#become(this.#asked, nowMs)
      if (this.#open === 1) this.#waitBeforeMore(nowMs)
      else this.#ask(Math.ceil(this.#open / 2), nowMs, roundTripMs)
    }
  }

  /** What arrives says nothing about the connections. */
  #hold({ nowMs }: LaneFacts): void {
    this.#window = undefined
    if (nowMs - this.#usefulAtMs < uselessMs) return
    this.#become(1, nowMs)
    this.#tryMoreAtMs = Math.max(this.#tryMoreAtMs, nowMs + uselessMs)
  }

  /** So many are open from now on, and asked. */
  #become(count: number, nowMs: number, roundTripMs = 0): void {
    this.#open = count
    this.#ask(count, nowMs, roundTripMs)
  }

  #ask(count: number, nowMs: number, roundTripMs: number): void {
    this.#asked = count
    this.#window = undefined
    this.#settledAtMs = nowMs + Math.max(settleMs, settleRoundTrips * roundTripMs)
  }

  #waitBeforeMore(nowMs: number): void {
    if (nowMs < this.#tryMoreAtMs) return
    this.#tryMoreAtMs = nowMs + this.#moreWaitMs
    this.#moreWaitMs = Math.min(longestWaitMs, 2 * this.#moreWaitMs)
  }

  #waitBeforeFewer(nowMs: number): void {
    this.#tryFewerAtMs = nowMs + this.#fewerWaitMs
    this.#fewerWaitMs = Math.min(longestWaitMs, 2 * this.#fewerWaitMs)
  }

  /** Bytes per millisecond, once so much time has passed since the last rate; undefined before. */
  #rateOver(ms: number, nowMs: number, receivedBytes: number): number | undefined {
    this.#window ??= { fromMs: nowMs, fromBytes: receivedBytes }
    const { fromMs, fromBytes } = this.#window
    if (nowMs - fromMs < ms) return undefined
    this.#window = undefined
    return (receivedBytes - fromBytes) / (nowMs - fromMs)
  }
}
