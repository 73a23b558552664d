// When a guest's requests are one use of a link. A download that breaks off is resumed, or begun again, and browsers and
// download programs fetch in parts, in several requests. What they have in common is where they come from: so a use is of
// a network (an IPv4 address, the 64 bits of an IPv6 one), and lasts until it was sent every byte once; or, since what is
// lost on the way is sent again, four times as many. Cookies would not do: curl has none. Pure, but for the clock that is
// passed in.

import { linkLimits } from './limits.ts'

/** From, and behind the last byte. */
type Span = [from: number, to: number]

/** Bytes of a content that were sent, as spans in order that do not touch. */
class Covered {
  #spans: Span[] = []

  /** Returns how many bytes more are covered. */
  add(from: number, to: number): number {
    const before = this.#bytes
    const apart = this.#spans.filter(([first, end]) => end < from || first > to)
    const touching = this.#spans.filter(([first, end]) => end >= from && first <= to)
    const merged: Span = [
      Math.min(from, ...touching.map(([first]) => first)),
      Math.max(to, ...touching.map(([, end]) => end)),
    ]
    this.#spans = [...apart, merged].toSorted(([one], [other]) => one - other)
    const [first, second] = this.#spans
    // Whoever takes a byte here and there gets no memory for it: what lies between counts as sent.
    if (this.#spans.length > spansMax && first !== undefined && second !== undefined)
      this.#spans.splice(0, 2, [first[0], second[1]])
    return this.#bytes - before
  }

  get #bytes(): number {
    return this.#spans.reduce((sum, [from, to]) => sum + to - from, 0)
  }
}

const spansMax = 64

export class Use {
  /** Of the entry. */
  readonly #sizeBytes: number
  /** By content: a folder has several, all of it and its files. */
  readonly #covered = new Map<string, Covered>()
  #coveredBytes = 0
  #sentBytes = 0
  #completeAtMs: number | undefined

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes
  }

  /** These bytes of a content were handed to the system. */
  onSent(tag: string, from: number, to: number, nowMs: number): void {
    this.#sentBytes += to - from
    const covered = this.#covered.get(tag) ?? new Covered()
    // A folder has a million files at most, and a use holds the parts of a few of them.
    if (this.#covered.size < contentsMax) this.#covered.set(tag, covered)
    this.#coveredBytes += covered.add(from, to)
    if (this.#coveredBytes >= this.#sizeBytes) this.#completeAtMs ??= nowMs
  }

  /** Whether a further request is part of it. `isPart`: it asks for a part, as whoever resumes does. */
  takes(isPart: boolean, nowMs: number): boolean {
    const { sentTimes, sentBesideBytes, lostPartsMs } = linkLimits
    if (this.#sentBytes >= sentTimes * this.#sizeBytes + sentBesideBytes) return false
    if (this.#completeAtMs === undefined) return true
    return isPart && nowMs - this.#completeAtMs < lostPartsMs
  }
}

const contentsMax = 4096

/** The uses of one link that are not over, by network. */
export class Uses {
  readonly #sizeBytes: number
  readonly #open: Map<string, Use>

  /** `guests`: those whose use was not over when the program ended. */
  constructor(sizeBytes: number, guests: readonly string[]) {
    this.#sizeBytes = sizeBytes
    this.#open = new Map(guests.map((guest) => [guest, new Use(sizeBytes)]))
  }

  get guests(): string[] {
    return [...this.#open.keys()]
  }

  /** The use that the request is part of; undefined where it would be another one. */
  find(guest: string, isPart: boolean, nowMs: number): Use | undefined {
    const use = this.#open.get(guest)
    return use?.takes(isPart, nowMs) === true ? use : undefined
  }

  begin(guest: string): Use {
    const use = new Use(this.#sizeBytes)
    this.#open.delete(guest)
    this.#open.set(guest, use)
    const [oldest] = this.#open.keys()
    if (this.#open.size > linkLimits.guests && oldest !== undefined) this.#open.delete(oldest)
    return use
  }
}
