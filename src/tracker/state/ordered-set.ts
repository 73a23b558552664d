// A set in insertion order that can be read on from any of its members, at the same cost wherever that is, and whose
// first member costs nothing to find. A Set can only be read from its beginning, and walks over what was taken out.

export class OrderedSet<T extends object> implements Iterable<T> {
  /** Members in order; undefined where one was taken out. */
  #places: (T | undefined)[] = []
  /** No member has a place before this one. */
  #firstPlace = 0
  readonly #placeOf = new Map<T, number>()

  constructor(members: Iterable<T> = []) {
    for (const member of members) this.add(member)
  }

  get size(): number {
    return this.#placeOf.size
  }

  get first(): T | undefined {
    return this.#places[this.#placeOfFirst()]
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

  /** The members behind this one; all when it is not a member. None may be taken out while they are read. */
  *behind(member: T | undefined): IterableIterator<T> {
    const place = member === undefined ? undefined : this.#placeOf.get(member)
    for (let at = place === undefined ? this.#placeOfFirst() : place + 1; at < this.#places.length; at++) {
      const next = this.#places[at]
      if (next !== undefined) yield next
    }
  }

  [Symbol.iterator](): Iterator<T> {
    return this.behind(undefined)
  }

  #placeOfFirst(): number {
    // Each gap is walked over once, since no new member comes before it.
    while (this.#firstPlace < this.#places.length && this.#places[this.#firstPlace] === undefined)
      this.#firstPlace++
    return this.#firstPlace
  }

  #closeGaps(): void {
    this.#places = this.#places.filter((member) => member !== undefined)
    this.#firstPlace = 0
    for (const [place, member] of this.#places.entries())
      if (member !== undefined) this.#placeOf.set(member, place)
  }
}
