// Things by their number, in shelves of a few, and when each shelf last changed. A snapshot writes the shelves
// that changed since the last one: what it costs goes by what changed, not by what there is.

export class Shelves<T extends { readonly id: number }> {
  readonly #size: number
  /** On each the lowest number first. */
  readonly #shelves = new Map<number, T[]>()
  /** Position of the log at which each shelf last changed, the latest last. Of what never changed here: none. */
  readonly #changedAt = new Map<number, number>()
  #nextId = 1
  #count = 0

  /** `size`: how many numbers share a shelf. */
  constructor(size: number) {
    this.#size = size
  }

  /** A number that nothing has had before. */
  takeId(): number {
    return this.#nextId++
  }

  get nextId(): number {
    return this.#nextId
  }

  /** For a state that is restored. */
  set nextId(id: number) {
    this.#nextId = id
  }

  clear(): void {
    this.#shelves.clear()
    this.#changedAt.clear()
    this.#count = 0
  }

  put(thing: T): void {
    const number = this.shelfOf(thing)
    const shelf = this.#shelves.get(number)
    if (shelf === undefined) this.#shelves.set(number, [thing])
    else shelf.push(thing)
    this.#count++
  }

  remove(thing: T): void {
    const number = this.shelfOf(thing)
    const shelf = this.#shelves.get(number)
    if (shelf === undefined) return
    shelf.splice(shelf.indexOf(thing), 1)
    this.#count--
    if (shelf.length === 0) this.#shelves.delete(number)
  }

  shelfOf({ id }: T): number {
    return Math.floor(id / this.#size)
  }

  /** Notes that something on its shelf is not what it was, at this position of the log. */
  touch(thing: T, position: number): void {
    const number = this.shelfOf(thing)
    this.#changedAt.delete(number)
    this.#changedAt.set(number, position)
  }

  /** How many things there are. */
  get count(): number {
    return this.#count
  }

  find(id: number): T | undefined {
    return this.#shelves.get(Math.floor(id / this.#size))?.find((thing) => thing.id === id)
  }

  /** Those that something is on. */
  numbers(): Iterable<number> {
    return this.#shelves.keys()
  }

  /** All things, the lowest number first. */
  things(): T[] {
    return [...this.#shelves.values()].flat().sort((one, other) => one.id - other.id)
  }

  /** What is on a shelf; undefined for an empty one. */
  on(number: number): readonly T[] | undefined {
    return this.#shelves.get(number)
  }

  /** Numbers of the shelves that changed after this position. */
  changedAfter(position: number): number[] {
    const changed: number[] = []
    for (const [number, at] of this.#changedAt) if (at > position) changed.push(number)
    return changed
  }

  /** What changed until then is written down, and need not be known any more. */
  forgetUntil(position: number): void {
    for (const [number, at] of this.#changedAt) {
      if (at > position) return
      this.#changedAt.delete(number)
    }
  }
}
