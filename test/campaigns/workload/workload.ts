// Clients that play stories concurrently, until they are stopped. A command whose answer was lost is repeated at the
// next tracker under the same id, as the client program does; now and then it is given up instead, and stays in the
// ledger as uncertain.

import { setTimeout } from 'node:timers/promises'
import type { Address } from '../../../src/common/addresses.ts'
import type { TrackerProtocol } from '../../../src/common/protocol/tracker-protocol.ts'
import type { Answer } from '../../../src/common/refusal.ts'
import type { Method } from '../../../src/common/wire/methods.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'
import { Clerk } from './clerk.ts'
import { credentialsFor } from './passwords.ts'
import { commandId, Speaker } from './speaker.ts'
import { isNewcomers, Story, type NewcomersWish, type Step, type StoryWish } from './story.ts'

export interface WorkloadOptions {
  readonly trackers: readonly Address[]
  readonly clients: number
  readonly seed: number
  /** See `Story`. */
  readonly newcomersWeight?: number | undefined
}

/** The share of commands without an answer that are given up. */
const givenUpShare = 0.2
/** The share of stories before which a client moves to another tracker, so that all have work. */
const wanderingShare = 0.2

export class Workload {
  /** Every story, in the order in which they began. */
  readonly ledger: Story[] = []
  readonly speakers: readonly Speaker[]
  /** As many as speakers, for the newcomers of their stories; each at another tracker than the speaker. */
  readonly clerks: readonly Clerk[]
  /** A user who is in no story, and sees of groups what everybody sees. */
  readonly outsider: Speaker
  readonly trackers: readonly Address[]
  /** The longest that a client waited from a command to its answer, lost answers and repeats included. */
  longestPauseMs = 0
  acknowledged = 0
  readonly #seed: number
  readonly #newcomersWeight: number | undefined
  readonly #waiters = new Set<() => void>()
  /** Clients wait for this before each command. */
  #mayGoOn: Promise<void> = Promise.resolve()
  /** Commands under way. */
  readonly #issuing = new Set<Promise<void>>()
  #isStopping = false
  #running: Promise<unknown> | undefined

  constructor({ trackers, clients, seed, newcomersWeight }: WorkloadOptions) {
    this.trackers = trackers
    this.#seed = seed
    this.#newcomersWeight = newcomersWeight
    this.speakers = Array.from({ length: clients }, (_, index) => {
      return new Speaker(trackers, index, `user-${index}`)
    })
    this.clerks = this.speakers.map((_, index) => new Clerk(trackers, index + 1))
    this.outsider = new Speaker(trackers, 0, 'outsider')
  }

  /** Registers everybody and begins. Some tracker must be up. */
  async start(): Promise<void> {
    const registrar = new Speaker(this.trackers, 0)
    for (const { user } of [...this.speakers, this.outsider]) {
      if (user === undefined) continue
      await registrar.ask('register', { id: commandId(), user, ...(await credentialsFor()) })
    }
    registrar.close()
    this.#running = Promise.all(this.speakers.map((_, index) => this.#tellStories(index)))
  }

  /** Resolves when `count` more commands have been acknowledged; rejects when a client cannot go on. */
  async acknowledgedMore(count: number): Promise<void> {
    const wanted = this.acknowledged + count
    const reached = new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.acknowledged < wanted) return
        this.#waiters.delete(look)
        resolve()
      }
      this.#waiters.add(look)
    })
    await Promise.race([reached, this.#running])
  }

  /** Runs `what` while nothing changes: every client has finished its command, and none begins another. */
  async whilePaused<T>(what: () => Promise<T>): Promise<T> {
    let goOn: () => void = () => undefined
    this.#mayGoOn = new Promise((resolve) => {
      goOn = resolve
    })
    try {
      await Promise.all(this.#issuing)
      return await what()
    } finally {
      goOn()
    }
  }

  /** Lets every client finish its command. Some tracker must be up. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
  }

  close(): void {
    for (const each of [...this.speakers, ...this.clerks, this.outsider]) each.close()
  }

  /** The speaker of one of a story's actors. */
  speakerOf(user: string): Speaker {
    return this.speakers[Number(user.slice('user-'.length))] as Speaker
  }

  /** Stories of neighbours share actors, so a user has several commands under way at once. */
  async #tellStories(index: number): Promise<void> {
    const random = seededRandom(this.#seed * 1000 + index)
    const count = this.speakers.length
    const actors = [0, 1, 2].map((next) => `user-${(index + next) % count}`)
    for (let chapter = 0; !this.#isStopping; chapter++) {
      if (random() < wanderingShare) this.speakers[index]?.moveOn()
      if (random() < wanderingShare) this.clerks[index]?.moveOn()
      const story = new Story(`g${index}-${chapter}`, actors, random, this.#newcomersWeight)
      this.ledger.push(story)
      for (let step = story.next(); step !== undefined; step = story.next()) {
        const issuing = this.#issue(step, this.clerks[index] as Clerk, random)
        this.#issuing.add(issuing)
        await issuing
        this.#issuing.delete(issuing)
        await this.#mayGoOn
        if (this.#isStopping) break
      }
    }
  }

  async #issue(step: Step, clerk: Clerk, random: () => number): Promise<void> {
    let startedMs = performance.now()
    do {
      step.tries++
      const answer = await this.#try(step, clerk)
      if (answer === undefined) continue
      // Stories together try more names that are taken than one address may. Nothing has happened, so it asks again.
      if (!answer.ok && answer.refusal.code === 'too-many-attempts') {
        await setTimeout(100)
        startedMs = performance.now()
        continue
      }
      step.answer = answer.ok ? 'done' : answer.refusal.code
      this.#onAnswer(performance.now() - startedMs)
      return
    } while (random() > givenUpShare)
  }

  #try(step: Step, clerk: Clerk): Promise<Answer<object> | undefined> {
    const { id, wish, tries } = step
    if (isNewcomers(wish)) return clerk.try(step, wish)
    const { method, params } = requestFor(wish)
    return this.speakerOf(wish.by).try(method, { id, again: tries > 1, ...params })
  }

  #onAnswer(pauseMs: number): void {
    this.acknowledged++
    this.longestPauseMs = Math.max(this.longestPauseMs, pauseMs)
    for (const waiter of this.#waiters) waiter()
  }
}

interface Request {
  readonly method: Method<TrackerProtocol>
  readonly params: object
}

/** A command has the name of its request. */
function requestFor({ kind, by: _by, ...params }: Exclude<StoryWish, NewcomersWish>): Request {
  return { method: kind, params }
}
