// The keys of a password that is known before any tracker can be asked: deriving them takes as long as starting the whole
// program, and a thread does it meanwhile.

import { deriveKeys, type ClientKeys } from '../../common/security/scram.ts'

/** How the password of a user was salted and stretched before. */
interface Stretching {
  readonly salt: string
  readonly iterations: number
}

export class EarlyKeys {
  #isOver = false
  #text: string | undefined
  #stretching: Stretching | undefined
  #keys: Promise<ClientKeys> | undefined

  /** Does nothing once keys were asked for: nobody would take them. */
  begin(text: string, stretching: Stretching): void {
    if (this.#isOver) return
    const keys = deriveKeys(text, stretching.salt, stretching.iterations)
    // Whoever takes them hears of a failure.
    keys.catch(() => undefined)
    this.#text = text
    this.#stretching = stretching
    this.#keys = keys
  }

  /** Resolves to the keys of this password; they are handed out once. */
  take(text: string, salt: string, iterations: number): Promise<ClientKeys> {
    const { salt: known, iterations: count } = this.#stretching ?? {}
    const isFor = text === this.#text && salt === known && iterations === count
    const keys = isFor ? this.#keys : undefined
    this.#isOver = true
    this.#text = undefined
    this.#keys = undefined
    return keys ?? deriveKeys(text, salt, iterations)
  }
}
