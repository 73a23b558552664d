// Which downloads are about to begin: a second call for the same one is refused before the first has its answer.

import { keyOf, type Fetched, type Named } from '../file-key.ts'

export class Beginnings {
  readonly #begun = new Map<string, { readonly entry: string; readonly begun: Promise<unknown> }>()

  has(file: Fetched): boolean {
    return this.#begun.has(keyOf(file))
  }

  /** Whether one of the entry is about to, or of a part of it. */
  hasOf({ group, name }: Named): boolean {
    return [...this.#begun.values()].some(({ entry }) => entry === keyOf({ group, name }))
  }

  /** Begins it; it must not be about to. */
  async during<T>(file: Fetched, begin: () => Promise<T>): Promise<T> {
    const begun = begin()
    this.#begun.set(keyOf(file), { entry: keyOf({ group: file.group, name: file.name }), begun })
    try {
      return await begun
    } finally {
      this.#begun.delete(keyOf(file))
    }
  }

  /** Resolves when it has begun, or could not; at once when it is not about to. Never rejects. */
  async over(file: Fetched): Promise<void> {
    await this.#begun.get(keyOf(file))?.begun.catch(() => undefined)
  }
}
