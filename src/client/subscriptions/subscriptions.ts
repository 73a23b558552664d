// Standing wishes: fetches what a group has under the names that a pattern means, now, later, and every new version. A
// tracker tells of what is new; whoever was away compares the listing once.

import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import pLimit from 'p-limit'
import { Failure, sentenceOf } from '../../common/failure.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { ToldParams } from '../../common/wire/methods.ts'
import type { Subscription, SubscriptionStore } from '../storage/subscription-store.ts'
import { matcherOf } from '../glob.ts'

/** A name of a group and what it stands for now. */
export interface Wanted {
  readonly group: string
  readonly name: string
  readonly fileId: string
}

/** What is done for a wish, by the rest of the client. */
export interface SubscriptionEvents {
  /** Asks a tracker to tell of this group from now on. */
  follow(group: string, after: number | undefined): Promise<Answer<{ position: number; changed: boolean }>>
  unfollow(group: string): Promise<unknown>
  /** All names of a group, each with its content. */
  list(group: string): Promise<Answer<readonly Wanted[]>>
  /** Begins to fetch it into the folder, in the place of an earlier version. */
  fetch(wanted: Wanted, folder: string): Promise<Answer<Fetching>>
  /** Something that the person should know. */
  onNotice(sentence: string): void
  /** Something that must not happen. */
  onFailure(error: unknown): void
}

export interface Fetching {
  /** Nobody has it now, so it may take for ever: others need not wait for it. */
  readonly isWaiting: boolean
  /** Settles when it is there, or is not to be had. Never rejects. */
  readonly done: Promise<Answer<void>>
}

/** So many at once: more would only share the line. */
const fetchedAtOnce = 8

/** How often to ask whether something was missed: a tracker that went away tells nothing. */
const lookAgainMs = 60_000

export class Subscriptions {
  readonly #store: SubscriptionStore
  readonly #events: SubscriptionEvents
  readonly #turns = pLimit(fetchedAtOnce)
  /** Names that are being fetched, or wait for their turn, with the content. */
  readonly #underWay = new Map<string, string>()
  /** Each resolves when a download has begun, or cannot. */
  readonly #beginning = new Set<Promise<unknown>>()
  /** By group and name: which content is not fetched, and why; it was said. */
  readonly #held = new Map<string, { readonly wanted: Wanted; readonly why: string }>()
  /** By pattern. */
  readonly #matchers = new Map<string, (name: string) => boolean>()
  /** Groups whose listing is being compared; true where that has to be done once more. */
  readonly #comparing = new Map<string, boolean>()
  readonly #watch: NodeJS.Timeout
  #isClosed = false

  constructor(store: SubscriptionStore, events: SubscriptionEvents, everyMs = lookAgainMs) {
    this.#store = store
    this.#events = events
    this.#watch = setInterval(() => this.lookAgain(), everyMs).unref()
  }

  get all(): readonly Subscription[] {
    return this.#store.all
  }

  /** What of a wish is not fetched, and why. */
  heldOf(wish: Subscription): { name: string; why: string }[] {
    return [...this.#held.values()]
      .filter(({ wanted }) => this.#wishFor(wanted.group, wanted.name) === wish)
      .map(({ wanted, why }) => ({ name: wanted.name, why }))
  }

  /** Makes the folder if need be. Fetches what is there already in the background. */
  async add(group: string, glob: string, folder: string): Promise<Answer<void>> {
    const matcher = matcherOf(glob)
    if (!matcher.ok) return matcher
    const path = resolve(folder)
    const known = this.#store.all.find((one) => one.group === group && one.glob === glob)
    if (known !== undefined && known.folder !== path)
      return refuse('usage', `${glob} of ${group} goes to ${known.folder} already; unsubscribe first`)
    if (known !== undefined) return accept(undefined)
    const followed = await this.#events.follow(group, undefined)
    if (!followed.ok) return followed
    try {
      await mkdir(path, { recursive: true })
    } catch (error) {
      return refuse('local-file', `cannot make the folder ${path}: ${sentenceOf(error)}`)
    }
    if (this.#isClosed) return refuse('cancelled', `you logged out; nothing of ${group} is fetched by itself`)
    this.#store.all.push({ group, glob, folder: path, fetched: new Map() })
    // Its names were never compared with this pattern.
    this.#store.positions.delete(group)
    await this.#store.save()
    await this.#compareNow(group)
    // So a script that waits for downloads knows of the first ones.
    await Promise.all(this.#beginning)
    return accept(undefined)
  }

  /** What was fetched stays, and what is being fetched goes on. */
  async remove(group: string, glob: string): Promise<Answer<void>> {
    const at = this.#store.all.findIndex((one) => one.group === group && one.glob === glob)
    if (at === -1)
      return refuse('usage', `you are not subscribed to ${glob} of ${group}; see list_subscriptions`)
    this.#store.all.splice(at, 1)
    if (!this.#groups().has(group)) {
      this.#store.positions.delete(group)
      await this.#events.unfollow(group)
    }
    await this.#store.save()
    return accept(undefined)
  }

  /** At a login, when a tracker is back, and now and then: asks what was missed. */
  lookAgain(): void {
    for (const group of this.#groups()) this.#compareSoon(group)
  }

  /** A tracker tells of a new name, or of a new content. */
  onEntryChanged({ group, name, fileId }: ToldParams<TrackerProtocol, 'toCaller', 'entry_changed'>): void {
    this.#consider({ group, name, fileId })
  }

  /** The user is no longer in the group. */
  async forgetGroup(group: string): Promise<void> {
    const kept = this.#store.all.filter((one) => one.group !== group)
    if (kept.length === this.#store.all.length) return
    this.#store.all.splice(0, this.#store.all.length, ...kept)
    this.#store.positions.delete(group)
    await this.#store.save()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#watch)
    this.#turns.clearQueue()
    await this.#store.saved()
  }

  #groups(): Set<string> {
    return new Set(this.#store.all.map(({ group }) => group))
  }

  async #compareNow(group: string): Promise<void> {
    if (this.#comparing.has(group)) return this.#compareSoon(group)
    this.#comparing.set(group, false)
    await this.#compareAndAgain(group)
  }

  /** One comparison of a group at a time, and one more for all that came meanwhile. */
  #compareSoon(group: string): void {
    if (this.#isClosed) return
    if (this.#comparing.has(group)) {
      this.#comparing.set(group, true)
      return
    }
    void this.#compareNow(group)
  }

  async #compareAndAgain(group: string): Promise<void> {
    try {
      await this.#compare(group)
    } catch (error) {
      // A tracker that is away; it is asked again when it is back.
      if (!(error instanceof Failure)) this.#events.onFailure(error)
    } finally {
      const again = this.#comparing.get(group) === true
      this.#comparing.delete(group)
      if (again) this.#compareSoon(group)
    }
  }

  async #compare(group: string): Promise<void> {
    const followed = await this.#events.follow(group, this.#store.positions.get(group))
    if (!followed.ok || this.#isClosed) return
    if (followed.value.changed) {
      const listed = await this.#events.list(group)
      if (!listed.ok || this.#isClosed) return
      for (const wanted of listed.value) this.#consider(wanted)
    }
    // What is under way is not forgotten by that: it is known by what was fetched.
    if (this.#underWay.size > 0) return
    this.#store.positions.set(group, followed.value.position)
    await this.#store.save()
  }

  #consider(wanted: Wanted): void {
    if (this.#isClosed) return
    const { group, name, fileId } = wanted
    const wish = this.#wishFor(group, name)
    if (wish === undefined || wish.fetched.get(name) === fileId) return
    const key = `${group} ${name}`
    if (this.#underWay.get(key) === fileId) return
    this.#underWay.set(key, fileId)
    this.#turns(() => this.#fetch(wish, wanted))
      .then((done) => done())
      .catch((error: unknown) => {
        if (error instanceof Failure) this.#sayOnce(wanted, error.message)
        else this.#events.onFailure(error)
      })
      .finally(() => {
        if (this.#underWay.get(key) === fileId) this.#underWay.delete(key)
      })
  }

  /** The first that means this name. */
  #wishFor(group: string, name: string): Subscription | undefined {
    return this.#store.all.find((one) => one.group === group && this.#matcherOf(one.glob)(name))
  }

  #matcherOf(glob: string): (name: string) => boolean {
    const known = this.#matchers.get(glob)
    if (known !== undefined) return known
    const made = matcherOf(glob)
    // Only what was a pattern is remembered; another version may have taken others.
    const matcher = made.ok ? made.value : () => false
    this.#matchers.set(glob, matcher)
    return matcher
  }

  /** Resolves to what is left to be done when the next one may begin. */
  async #fetch(wish: Subscription, wanted: Wanted): Promise<() => Promise<void>> {
    const { group, name, fileId } = wanted
    const nothing = async (): Promise<void> => undefined
    const isWanted = this.#underWay.get(`${group} ${name}`) === fileId && this.#store.all.includes(wish)
    // A newer content has taken its place, or nobody wants it any more.
    if (this.#isClosed || !isWanted) return nothing
    const beginning = this.#events.fetch(wanted, wish.folder)
    this.#beginning.add(beginning)
    const begun = await beginning.finally(() => this.#beginning.delete(beginning))
    const done = begun.ok ? begun.value.done : Promise.resolve(begun)
    if (!begun.ok || !begun.value.isWaiting) await done
    return async () => this.#onFetched(wish, wanted, await done)
  }

  async #onFetched(wish: Subscription, wanted: Wanted, fetched: Answer<unknown>): Promise<void> {
    if (this.#isClosed) return
    if (fetched.ok) {
      wish.fetched.set(wanted.name, wanted.fileId)
      this.#held.delete(`${wanted.group} ${wanted.name}`)
      await this.#store.save()
    } else if (fetched.refusal.code !== 'cancelled') this.#sayOnce(wanted, fetched.refusal.sentence)
  }

  /** It is tried again whenever something in the group changes. */
  #sayOnce({ group, name, fileId }: Wanted, why: string): void {
    const key = `${group} ${name}`
    const before = this.#held.get(key)
    this.#held.set(key, { wanted: { group, name, fileId }, why })
    if (before?.why !== why || before.wanted.fileId !== fileId)
      this.#events.onNotice(`${name} of ${group} is not fetched: ${why}`)
  }
}
