// A set in insertion order that can be read on from any of its members, at the same cost wherever that is. A Set can
// only be read from its beginning.

export class OrderedSet<T extends object> implements Iterable<T> {
  /** Members in order; undefined where one was taken out. */
  #places: (T | undefined)[] = []
  readonly #placeOf = new Map<T, number>()

  constructor(members: Iterable<T> = []) {
    for (const member of members) this.add(member)
  }

  get size(): number {
    return this.#placeOf.size
  }

  has(member: T): boolean {
    return this.#placeOf.has(member)
  }

  add(member: T): void {
    if (this.#placeOf.has(member)) return
    this.#placeOf.set(member, this.#places.length)
    this.#places.push(member)
  }

  delete(member: T): void {
    const place = this.#placeOf.get(member)
    if (place === undefined) return
    this.#placeOf.delete(member)
    this.#places[place] = undefined
    // At most half are gaps: that bounds the cost of skipping them, and makes closing them rare.
    if (this.#places.length > 8 && this.#places.length > 2 * this.#placeOf.size) this.#closeGaps()
  }

  /** The members behind this one; all when it is not a member. */
  *behind(member: T | undefined): IterableIterator<T> {
    const place = member === undefined ? -1 : (this.#placeOf.get(member) ?? -1)
    for (let at = place + 1; at < this.#places.length; at++) {
      const next = this.#places[at]
      if (next !== undefined) yield next
    }
  }

  [Symbol.iterator](): Iterator<T> {
    return this.behind(undefined)
  }

  #closeGaps(): void {
    this.#places = this.#places.filter((member) => member !== undefined)
    for (const [place, member] of this.#places.entries())
      if (member !== undefined) this.#placeOf.set(member, place)
  }
}
