// Keeps things by their number, on shelves of a few, and notes when each shelf last changed. A snapshot writes the
// shelves that changed since the last one, so its cost depends on what changed, not on the size of the state.

export class Shelves<T extends { readonly id: number }> {
  readonly #size: number
  /** By shelf number; on each shelf the lowest number first. */
  readonly #shelves = new Map<number, T[]>()
  /** By shelf number: the log position of its last change since the last snapshot here; the latest last. */
  readonly #changedAt = new Map<number, number>()
  #nextId = 1
  #count = 0

  /** `size`: how many numbers share a shelf. */
  constructor(size: number) {
    this.#size = size
  }

  /** A number that was never used before. */
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

  /** Notes that something on its shelf changed at this position of the log. */
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

  /** Numbers of the shelves that are not empty. */
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

  /** Forgets changes up to this position: a snapshot has them. */
  forgetUntil(position: number): void {
    for (const [number, at] of this.#changedAt) {
      if (at > position) return
      this.#changedAt.delete(number)
    }
  }
}
