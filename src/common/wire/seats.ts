// Places of one state, in the order in which they came to it, found by group and by what groups are counted together
// with. Pure.

/** A place, as far as it is counted. */
export interface Seated {
  /** By what it is counted. */
  readonly group: string
  /** By what its group is counted together with others. */
  readonly whole: string
}

/** The first of each set is its oldest. A place must leave before its group changes. */
export class Seats<T extends Seated> {
  readonly all = new Set<T>()
  readonly #byGroup = new Map<string, Set<T>>()
  readonly #byWhole = new Map<string, Set<T>>()
  readonly #none: ReadonlySet<T> = new Set()

  get size(): number {
    return this.all.size
  }

  get wholes(): Iterable<string> {
    return this.#byWhole.keys()
  }

  of(group: string): ReadonlySet<T> {
    return this.#byGroup.get(group) ?? this.#none
  }

  ofWhole(whole: string): ReadonlySet<T> {
    return this.#byWhole.get(whole) ?? this.#none
  }

  add(place: T): void {
    this.all.add(place)
    addTo(this.#byGroup, place.group, place)
    addTo(this.#byWhole, place.whole, place)
  }

  remove(place: T): void {
    this.all.delete(place)
    removeFrom(this.#byGroup, place.group, place)
    removeFrom(this.#byWhole, place.whole, place)
  }

  /** The largest group, of the whole that has most. */
  largest(): ReadonlySet<T> {
    let largest = this.#none
    let mostOfWhole = 0
    for (const group of this.#byGroup.values()) {
      const [first] = group
      const ofWhole = first === undefined ? 0 : this.ofWhole(first.whole).size
      if (ofWhole < mostOfWhole || (ofWhole === mostOfWhole && group.size <= largest.size)) continue
      largest = group
      mostOfWhole = ofWhole
    }
    return largest
  }
}

function addTo<T>(sets: Map<string, Set<T>>, name: string, place: T): void {
  const set = sets.get(name)
  if (set === undefined) sets.set(name, new Set([place]))
  else set.add(place)
}

function removeFrom<T>(sets: Map<string, Set<T>>, name: string, place: T): void {
  const set = sets.get(name)
  set?.delete(place)
  if (set?.size === 0) sets.delete(name)
}
