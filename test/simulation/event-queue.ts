// Virtual time: what is to happen and when. Nothing waits, and the same order comes out every time.

interface Event {
  readonly atMs: number
  /** Of two events at one time the one that was planned first happens first. */
  readonly order: number
  readonly run: () => void
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

export class EventQueue {
  nowMs = 0
  /** A binary heap: no event is before that at half its place. */
  readonly #heap: Event[] = []
  #planned = 0

  after(ms: number, run: () => void): void {
    const event = { atMs: this.nowMs + ms, order: this.#planned++, run }
    let at = this.#heap.push(event) - 1
    for (let parent = (at - 1) >> 1; at > 0 && isBefore(event, this.#heap[parent]!); parent = (at - 1) >> 1) {
      this.#heap[at] = this.#heap[parent]!
      at = parent
    }
    this.#heap[at] = event
  }

  /** Moves on to the next event; false when there is none. */
  step(): boolean {
    const next = this.#heap[0]
    const last = this.#heap.pop()
    if (next === undefined || last === undefined) return false
    if (this.#heap.length > 0) this.#sink(last)
    this.nowMs = next.atMs
    next.run()
    return true
  }

  #sink(event: Event): void {
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= this.#heap.length) break
      if (child + 1 < this.#heap.length && isBefore(this.#heap[child + 1]!, this.#heap[child]!)) child++
      if (!isBefore(this.#heap[child]!, event)) break
      this.#heap[at] = this.#heap[child]!
      at = child
    }
    this.#heap[at] = event
  }
}
