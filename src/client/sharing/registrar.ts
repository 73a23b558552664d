// Registers and withdraws shares at the trackers. Keeps the newest wish for each name and repeats it until it gets a
// final answer. Asks for a bounded number of names at once, so that thousands of shares cannot flood a connection.

import pLimit from 'p-limit'
import { Failure } from '../../common/failure.ts'
import { refuse, type Answer, type RefusalCode } from '../../common/refusal.ts'
import { keyOf } from '../file-key.ts'

/** Asks the trackers. Rejects with a failure when none can be reached. */
export type Ask = () => Promise<Answer<void>>

interface Wish {
  readonly ask: Ask
  /** Repeat until a final answer; otherwise the first answer counts. */
  readonly isLasting: boolean
  readonly isShare: boolean
  readonly settle: (answer: Answer<void>) => void
  readonly fail: (failure: Failure) => void
  tries: number
  /** The last answer, which was not final. */
  answer?: string
}

interface Name {
  wish: Wish | undefined
  isAsking: boolean
  retry: NodeJS.Timeout | undefined
}

/**
 * Names asked for at once, so that they share commits. A tracker takes 64 requests from a connection, and a person may ask
 * something meanwhile.
 */
const atOnce = 48
/** Delay before a retry: the first and the longest. A tracker that comes back is asked at once. */
const firstRetryMs = 1000
const longestRetryMs = 30_000

/** Refusals that end a share: no group, no membership, or another version under this name. */
const finalForShares: ReadonlySet<RefusalCode> = new Set(['no-such-group', 'not-a-member', 'name-taken'])
/** Refusals that say nothing about the name: the tracker is in trouble, or the login is incomplete. */
const passing: ReadonlySet<RefusalCode> = new Set(['unavailable', 'busy', 'login-first', 'hello-first'])

/** Whether a refusal with this code ends a share. */
export function isFinalForShare(code: RefusalCode): boolean {
  return finalForShares.has(code)
}

/** Whether the same request may succeed a moment later. */
export function isPassing(code: RefusalCode): boolean {
  return passing.has(code)
}

export class Registrar {
  readonly #names = new Map<string, Name>()
  readonly #registered = new Set<string>()
  /** Names that wait for a retry because the trackers were in trouble. */
  readonly #troubled = new Map<string, Name>()
  readonly #turns = pLimit(atOnce)
  #closed = false

  /** Whether the trackers accepted the newest wish for this name, and it was a share. */
  isRegistered(file: { group: string; name: string }): boolean {
    return this.#registered.has(keyOf(file))
  }

  /** What the trackers answered last to a wish that is repeated; undefined where none is, or none answered. */
  answerTo(file: { group: string; name: string }): string | undefined {
    return this.#names.get(keyOf(file))?.wish?.answer
  }

  /** Whether a wish for this name is unanswered. */
  isWished(file: { group: string; name: string }): boolean {
    return this.#names.get(keyOf(file))?.wish !== undefined
  }

  /**
   * Registers a share. A lasting wish resolves to acceptance or a final refusal. Any other resolves to the first
   * answer, and rejects with a failure when no tracker can be reached.
   */
  share(file: { group: string; name: string }, ask: Ask, isLasting: boolean): Promise<Answer<void>> {
    return this.#wish(file, ask, isLasting, true)
  }

  /** Withdraws a name. Lasting as in `share`; here every refusal is final unless the tracker is in trouble. */
  withdraw(file: { group: string; name: string }, ask: Ask, isLasting: boolean): Promise<Answer<void>> {
    return this.#wish(file, ask, isLasting, false)
  }

  /** Drops the wish for this name. */
  forget(file: { group: string; name: string }): void {
    const name = this.#names.get(keyOf(file))
    this.#registered.delete(keyOf(file))
    if (name === undefined) return
    this.#stopRetry(keyOf(file), name)
    this.#supersede(name)
    if (!name.isAsking) this.#names.delete(keyOf(file))
  }

  /** A tracker is back: retries everything now. */
  onTrackerUp(): void {
    for (const [key, name] of this.#names) {
      if (name.wish === undefined || name.isAsking) continue
      this.#stopRetry(key, name)
      this.#ask(key, name)
    }
  }

  /** Drops all wishes. */
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

  /** Asks one question per name at a time, so that the trackers hear wishes in order. */
  #ask(key: string, name: Name): void {
    if (name.isAsking) return
    name.isAsking = true
    void this.#turns(async () => {
      const { wish } = name
      if (wish !== undefined) await this.#askOnce(key, name, wish)
    }).finally(() => {
      name.isAsking = false
      if (this.#closed) return
      // A newer wish has arrived.
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
    // The trackers are working again: retry what failed before.
    if (!isTrouble) this.#askTroubled()
    if (name.wish !== wish) return
    const isAnswered = !isTrouble && (outcome.ok || isFinal(wish, outcome.refusal.code))
    if (!isAnswered && wish.isLasting) {
      wish.answer = outcome instanceof Failure || outcome.ok ? undefined : outcome.refusal.sentence
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

export function sharedAnew(name: string): Answer<never> {
  return refuse('cancelled', `${name} was withdrawn or shared again meanwhile`)
}

/** The answer to a wish that a newer one replaced. */
export function superseded(): Answer<never> {
  return refuse('cancelled', 'a newer request for this name replaced it')
}
