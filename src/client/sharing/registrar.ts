// Makes the trackers know what this user shares: one wish a name, the newest of which counts, said until it
// is answered for good. Several names at once, bounded, so that thousands of shares never fill a connection.

import pLimit from 'p-limit'
import { Failure } from '../../common/failure.ts'
import { refuse, type Answer, type RefusalCode } from '../../common/refusal.ts'
import { keyOf } from '../file-key.ts'

/** Asked of the trackers for a name. Rejects with a failure when none can be reached. */
export type Ask = () => Promise<Answer<void>>

interface Wish {
  readonly ask: Ask
  /** To be said again and again; else the first answer counts, whatever it is. */
  readonly isLasting: boolean
  readonly isShare: boolean
  readonly settle: (answer: Answer<void>) => void
  readonly fail: (failure: Failure) => void
  tries: number
}

interface Name {
  wish: Wish | undefined
  isAsking: boolean
  retry: NodeJS.Timeout | undefined
}

/** Names that are asked for at once. A tracker takes 64 requests of a connection. */
const atOnce = 16
/** The time until the next try, in milliseconds: first and longest. A tracker that comes back is asked at once. */
const firstRetryMs = 1000
const longestRetryMs = 30_000

/** These end a share: its group or membership is gone, or another version has the name. */
const finalForShares: ReadonlySet<RefusalCode> = new Set(['no-such-group', 'not-a-member', 'name-taken'])
/** These say nothing about the name: the tracker is in trouble, or the login is not through yet. */
const passing: ReadonlySet<RefusalCode> = new Set(['unavailable', 'busy', 'login-first', 'hello-first'])

/** Whether the trackers will never accept this share again. */
export function isFinalForShare(code: RefusalCode): boolean {
  return finalForShares.has(code)
}

/** Whether the same question may get another answer in a moment. */
export function isPassing(code: RefusalCode): boolean {
  return passing.has(code)
}

export class Registrar {
  readonly #names = new Map<string, Name>()
  readonly #registered = new Set<string>()
  /** Those that failed because of the trackers, and wait for their next try. */
  readonly #troubled = new Map<string, Name>()
  readonly #turns = pLimit(atOnce)
  #closed = false

  /** Whether the newest wish for this name was a share, and the trackers have accepted it. */
  isRegistered(file: { group: string; name: string }): boolean {
    return this.#registered.has(keyOf(file))
  }

  /** Whether the trackers are still to be asked something for this name. */
  isWished(file: { group: string; name: string }): boolean {
    return this.#names.get(keyOf(file))?.wish !== undefined
  }

  /**
   * Registers a share; the answer is a refusal for good, or, unless `isLasting`, any. Rejects with a failure
   * when no tracker can be reached, unless `isLasting`.
   */
  share(file: { group: string; name: string }, ask: Ask, isLasting: boolean): Promise<Answer<void>> {
    return this.#wish(file, ask, isLasting, true)
  }

  /** Withdraws a name; accepted also when there is nothing to withdraw. As `share` otherwise. */
  withdraw(file: { group: string; name: string }, ask: Ask, isLasting: boolean): Promise<Answer<void>> {
    return this.#wish(file, ask, isLasting, false)
  }

  /** What was wished for this name does not count any more. */
  forget(file: { group: string; name: string }): void {
    const name = this.#names.get(keyOf(file))
    this.#registered.delete(keyOf(file))
    if (name === undefined) return
    this.#stopRetry(keyOf(file), name)
    this.#supersede(name)
    if (!name.isAsking) this.#names.delete(keyOf(file))
  }

  /** A tracker is back: what waits is asked at once. */
  onTrackerUp(): void {
    for (const [key, name] of this.#names) {
      if (name.wish === undefined || name.isAsking) continue
      this.#stopRetry(key, name)
      this.#ask(key, name)
    }
  }

  /** Asks nothing more. */
  close(): void {
    this.#closed = true
    for (const [key, name] of this.#names) {
      this.#stopRetry(key, name)
      this.#supersede(name)
    }
    this.#turns.clearQueue()
    this.#names.clear()
  }

  #wish(
    file: { group: string; name: string },
    ask: Ask,
    isLasting: boolean,
    isShare: boolean,
  ): Promise<Answer<void>> {
    return new Promise((settle, fail) => {
      if (this.#closed) {
        settle(superseded())
        return
      }
      const key = keyOf(file)
      const name = this.#names.get(key) ?? { wish: undefined, isAsking: false, retry: undefined }
      this.#names.set(key, name)
      this.#stopRetry(key, name)
      this.#supersede(name)
      this.#registered.delete(key)
      name.wish = { ask, isLasting, isShare, settle, fail, tries: 0 }
      this.#ask(key, name)
    })
  }

  #supersede(name: Name): void {
    name.wish?.settle(superseded())
    name.wish = undefined
  }

  /** One question a name at a time: the trackers hear wishes in their order. */
  #ask(key: string, name: Name): void {
    if (name.isAsking) return
    name.isAsking = true
    void this.#turns(async () => {
      const { wish } = name
      if (wish !== undefined) await this.#askOnce(key, name, wish)
    }).finally(() => {
      name.isAsking = false
      if (this.#closed) return
      // Another wish came meanwhile.
      if (name.wish !== undefined && name.retry === undefined) this.#ask(key, name)
      else if (name.wish === undefined && this.#names.get(key) === name) this.#names.delete(key)
    })
  }

  async #askOnce(key: string, name: Name, wish: Wish): Promise<void> {
    const outcome = await wish.ask().catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error
      return error
    })
    const isTrouble = outcome instanceof Failure || (!outcome.ok && isPassing(outcome.refusal.code))
    // The trackers can change something again: what failed before need not wait for its time.
    if (!isTrouble) this.#askTroubled()
    if (name.wish !== wish) return
    const isAnswered = !isTrouble && (outcome.ok || isFinal(wish, outcome.refusal.code))
    if (!isAnswered && wish.isLasting) {
      this.#again(key, name, wish, isTrouble)
      return
    }
    name.wish = undefined
    if (wish.isShare && !(outcome instanceof Failure) && outcome.ok) this.#registered.add(key)
    if (outcome instanceof Failure) wish.fail(outcome)
    else wish.settle(outcome)
  }

  #askTroubled(): void {
    for (const [key, name] of [...this.#troubled]) {
      this.#stopRetry(key, name)
      this.#ask(key, name)
    }
  }

  #stopRetry(key: string, name: Name): void {
    clearTimeout(name.retry)
    name.retry = undefined
    this.#troubled.delete(key)
  }

  #again(key: string, name: Name, wish: Wish, isTrouble: boolean): void {
    if (isTrouble) this.#troubled.set(key, name)
    const waitMs = Math.min(longestRetryMs, firstRetryMs * 2 ** wish.tries)
    wish.tries++
    name.retry = setTimeout(
      () => {
        this.#stopRetry(key, name)
        this.#ask(key, name)
      },
      waitMs * (0.75 + Math.random() / 2),
    )
  }
}

function isFinal({ isShare }: Wish, code: RefusalCode): boolean {
  return isShare ? isFinalForShare(code) : !isPassing(code)
}

/** The answer to a wish that does not count any more. */
export function superseded(): Answer<never> {
  return refuse('cancelled', 'something else was wanted meanwhile')
}
