// One request to whichever tracker answers: the first that can be asked, then the next, until the patience of a person
// ends. A try may be repeated at another tracker: see `triesOf`.

import { setTimeout } from 'node:timers/promises'
import { atMost } from '../../common/at-most.ts'
import { formatAddress } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { requestTimeoutMs } from '../../common/limits.ts'
import { refuse, type Answer } from '../../common/refusal.ts'
import { answerWithinMs } from './patience.ts'
import type { TrackerConnection } from './tracker-connection.ts'

/** One try at one tracker, which may take so many milliseconds. */
export type Attempt<T> = (connection: TrackerConnection, timeoutMs: number) => Promise<Answer<T>>

/** The trackers that can be asked now. Those that may hang come last. */
export type Candidates = () => TrackerConnection[]

export interface FailoverOptions {
  readonly connections: readonly TrackerConnection[]
  /** The candidates of most requests. */
  readonly usable: Candidates
  /** Whether a tracker is connected that belongs to the user's community. */
  readonly isUp: () => boolean
  /** Whether trackers are connected, and all of them belong to another community. */
  readonly isAmongOthers: () => boolean
}

/** How long a request waits for a tracker to come back before it fails. */
const patienceMs = 5000
const pauseMs = 100
/** Replaces `patienceMs` while no tracker was ever up: enough for one that starts with the client. */
const startPatienceMs = 1000
/** How long a person at the prompt does not wonder whether a tracker is there. */
const wonderingMs = 2000

export class Failover {
  readonly #options: FailoverOptions
  readonly #waiters = new Set<() => void>()
  #firstTries: Promise<unknown> | undefined
  /** Whether any tracker has ever been up. */
  #wasUp = false

  constructor(options: FailoverOptions) {
    this.#options = options
  }

  /** `ended`: resolves when each tracker was tried once. */
  onFirstTries(ended: Promise<unknown>): void {
    this.#firstTries = ended
  }

  /** A tracker has come up: requests that wait for one go on. */
  onUp(): void {
    this.#wasUp = true
    for (const waiter of this.#waiters) waiter()
  }

  /**
   * Which tracker answers first, as a sentence, as soon as one does. Before that, and once, that none does, if that takes
   * two seconds and `saysSilence`.
   */
  async *firstContact(saysSilence: boolean): AsyncGenerator<string> {
    const answered = this.#firstAnswer()
    if ((await atMost(answered, wonderingMs)) === undefined && saysSilence) {
      const { isProblem, sentence } = this.#silence()
      yield isProblem ? sentence : `${sentence} this client keeps trying`
    }
    yield `tracker ${await answered} answers`
  }

  /** Resolves to the address of the first tracker that is up, if there ever is one. */
  #firstAnswer(): Promise<string> {
    const upNow = (): TrackerConnection | undefined =>
      this.#options.connections.find(({ caller }) => caller !== undefined)
    return new Promise((resolve) => {
      const look = (): void => {
        const connection = upNow()
        if (connection === undefined) return
        this.#waiters.delete(look)
        resolve(formatAddress(connection.address))
      }
      this.#waiters.add(look)
      if (this.#wasUp) look()
    })
  }

  /**
   * Tries one tracker after the other until one answers. Refuses with `unavailable` when a tracker is up and none can
   * answer; rejects with a `connection-lost` failure, a sentence for a person, when none is up.
   */
  async ask<T>(attempt: Attempt<T>, candidates = this.#options.usable): Promise<Answer<T>> {
    const { isUp, isAmongOthers } = this.#options
    const deadlineMs = performance.now() + patienceMs
    let lost: Failure | undefined
    do {
      // Pauses before asking a tracker again that is up but could not answer.
      if (lost !== undefined) await setTimeout(pauseMs)
      const tried = new Set<TrackerConnection>()
      const untried: Candidates = () => candidates().filter((connection) => !tried.has(connection))
      for (let next = untried()[0]; next !== undefined; next = untried()[0]) {
        tried.add(next)
        try {
          const answer = await this.#try(next, attempt, untried)
          if (answer.ok || answer.refusal.code !== 'unavailable') return answer
          lost = new Failure('connection-lost', answer.refusal.sentence)
        } catch (error) {
          if (!(error instanceof Failure) || error.code === 'protocol') throw error
          lost = error
        }
      }
    } while (!isAmongOthers() && (await this.#untilUp(deadlineMs - performance.now())))
    if (isAmongOthers())
      return refuse('unavailable', 'the tracker that answers belongs to another community; log out to use it')
    if (lost !== undefined && isUp()) return refuse('unavailable', lost.message)
    throw this.#nobodyAnswers(lost)
  }

  #try<T>(connection: TrackerConnection, attempt: Attempt<T>, others: Candidates): Promise<Answer<T>> {
    if (isHealthy(others()[0])) return attempt(connection, answerWithinMs)
    return this.#unlessAnother(connection, attempt(connection, requestTimeoutMs), others)
  }

  /**
   * Leaves the last usable tracker, as one that may hang, when it has had its `answerWithinMs` and another one has come
   * up meanwhile, logged in to. Else a request would fail that hung while the client was still logging in elsewhere.
   */
  #unlessAnother<T>(
    connection: TrackerConnection,
    answer: Promise<Answer<T>>,
    others: Candidates,
  ): Promise<Answer<T>> {
    const askedAtMs = performance.now()
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined
      const leave = (): void => {
        timer = undefined
        if (!isHealthy(others()[0])) return
        connection.doubt(askedAtMs + requestTimeoutMs - performance.now())
        reject(new Failure('timeout', 'the tracker does not answer'))
      }
      const onUp = (): void => {
        timer ??= globalThis.setTimeout(leave, Math.max(1, askedAtMs + answerWithinMs - performance.now()))
      }
      this.#waiters.add(onUp)
      const settled = (): void => {
        clearTimeout(timer)
        this.#waiters.delete(onUp)
      }
      answer.finally(settled).then(resolve, reject)
    })
  }

  #nobodyAnswers(cause: Failure | undefined): Failure {
    return new Failure('connection-lost', this.#silence().sentence, cause)
  }

  /** `isProblem`: one answers, and cannot be used. */
  #silence(): { isProblem: boolean; sentence: string } {
    const { connections } = this.#options
    const problem = connections.find((connection) => connection.problem !== undefined)?.problem
    const where = connections.map(({ address }) => formatAddress(address))
    const silence =
      where.length === 1
        ? `tracker ${where[0]}; is it running?`
        : `trackers ${where.join(', ')}; is one running?`
    return { isProblem: problem !== undefined, sentence: problem ?? `no answer from ${silence}` }
  }

  /** Resolves to whether a tracker came up within this time. */
  async #untilUp(waitMs: number): Promise<boolean> {
    if (waitMs <= 0) return false
    return new Promise((resolve) => {
      const done = (up: boolean): void => {
        clearTimeout(timer)
        this.#waiters.delete(wake)
        resolve(up)
      }
      const wake = (): void => done(true)
      const timer = globalThis.setTimeout(() => done(false), waitMs)
      this.#waiters.add(wake)
      // A tracker may have come up when all first attempts have ended. If none is up and none ever was, this
      // is no short outage, so the person is told soon.
      void this.#firstTries?.then(() => {
        if (this.#options.usable().length > 0) wake()
        else if (!this.#wasUp) globalThis.setTimeout(() => done(false), startPatienceMs)
      })
    })
  }
}

function isHealthy(connection: TrackerConnection | undefined): boolean {
  return connection?.isHealthy === true
}
