// Which pieces of a download somebody waits for who looks at it while it arrives. Pure.

export class Wishes {
  readonly #byReader = new Map<object, readonly number[]>()
  #pieces: readonly number[] = []

  /** In the order in which they are wanted; the last reader's first, since who looks elsewhere begins anew. */
  get pieces(): readonly number[] {
    return this.#pieces
  }

  has(index: number): boolean {
    return this.#pieces.includes(index)
  }

  /** The reader waits for these, the first one most, and no more for those of before. */
  want(reader: object, pieces: readonly number[]): void {
    this.#byReader.delete(reader)
    this.#byReader.set(reader, pieces)
    this.#gather()
  }

  forget(reader: object): void {
    if (this.#byReader.delete(reader)) this.#gather()
  }

  #gather(): void {
    this.#pieces = [...this.#byReader.values()].toReversed().flat()
  }
}
