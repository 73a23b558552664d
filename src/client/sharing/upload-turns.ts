// Which upload of a name counts: the newest one. It supersedes those before it.

import { keyOf, type Named } from '../file-key.ts'

export interface UploadTurn {
  /** Whether no newer upload of the name has begun, and none was ended by `drop`. */
  readonly counts: () => boolean
  readonly end: () => void
}

interface UnderWay {
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
  readonly onEnded: () => void
}

export class UploadTurns {
  readonly #newest = new Map<string, UnderWay>()

  begin(file: Named): UploadTurn {
    const key = keyOf(file)
    this.drop(file)
    let onEnded = (): void => undefined
    const ended = new Promise<void>((resolve) => (onEnded = resolve))
    const mine = { ended, onEnded }
    this.#newest.set(key, mine)
    const counts = (): boolean => this.#newest.get(key) === mine
    const end = (): void => {
      if (counts()) this.drop(file)
    }
    return { counts, end }
  }

  /** Ends what is under way for the name; false where nothing is. */
  drop(file: Named): boolean {
    this.#newest.get(keyOf(file))?.onEnded()
    return this.#newest.delete(keyOf(file))
  }

  /** Undefined where nothing is under way for the name; otherwise resolves when that, or what comes after it, has ended. */
  over(file: Named): Promise<void> | undefined {
    const underWay = this.#newest.get(keyOf(file))
    return underWay?.ended.then(() => this.over(file))
  }
}
