// Standing wishes against a made-up tracker and made-up downloads.

import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { SubscriptionStore } from '../../../src/client/storage/subscription-store.ts'
import {
  Subscriptions,
  type SubscriptionEvents,
  type Wanted,
} from '../../../src/client/subscriptions/subscriptions.ts'
import { Failure } from '../../../src/common/failure.ts'
import { accept, refuse, type Answer } from '../../../src/common/refusal.ts'

const idOf = (content: string): string => content.repeat(64).slice(0, 64)

/** A community of one group, and a client that fetches what it is told to. */
class Place {
  readonly folder = mkdtempSync(join(tmpdir(), 'coterie-wishes-'))
  /** Names of the group g, and their contents. */
  readonly listed = new Map<string, string>()
  position = 10
  changedAt = 0
  listings = 0
  /** What was fetched: name, content, and where. */
  readonly fetched: [string, string, string][] = []
  readonly notices: string[] = []
  readonly followed = new Set<string>()
  isAway = false
  /** Nobody has what is fetched. */
  isWaiting = false
  onFetch: (wanted: Wanted) => Promise<Answer<void>> = async () => accept(undefined)
  store = this.open()
  subscriptions = this.#begin()

  constructor() {
    onTestFinished(async () => {
      await this.subscriptions.close()
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  open(): SubscriptionStore {
    return new SubscriptionStore(this.folder, 'community', 'ann', (sentence) => this.notices.push(sentence))
  }

  /** The program ends and begins again. */
  async restart(): Promise<void> {
    await this.subscriptions.close()
    this.store = this.open()
    this.subscriptions = this.#begin()
    this.subscriptions.lookAgain()
  }

  share(name: string, content: string): void {
    this.listed.set(name, idOf(content))
    this.changedAt = ++this.position
  }

  /** As a tracker tells those who follow. */
  tell(name: string): void {
    const fileId = this.listed.get(name) ?? ''
    const entry = { group: 'g', name, fileId, sizeBytes: 1, version: 1, position: this.position }
    this.subscriptions.onEntryChanged(entry)
  }

  path(...names: string[]): string {
    return join(this.folder, ...names)
  }

  /** Waits until these were fetched, in this order, and remembered. */
  async until(names: readonly string[]): Promise<void> {
    await vi.waitFor(() => {
      const fetched = this.fetched.map(([name]) => name)
      if (fetched.join() !== names.join() || !this.isIdle) throw new Error(`fetched were ${fetched.join()}`)
    })
  }

  get isIdle(): boolean {
    return this.fetched.every(([name, content]) =>
      this.subscriptions.all.some((one) => one.fetched.get(name) === idOf(content) || one.fetched.has(name)),
    )
  }

  #begin(): Subscriptions {
    const events: SubscriptionEvents = {
      follow: async (group, after) => {
        if (this.isAway) throw new Failure('connection-lost', 'no tracker answers')
        if (group !== 'g') return refuse('no-such-group', `there is no group ${group}`)
        this.followed.add(group)
        const changed = after === undefined || this.changedAt > after
        return accept({ position: this.position, changed })
      },
      unfollow: async (group) => this.followed.delete(group),
      list: async (group) => {
        this.listings++
        return accept(Array.from(this.listed, ([name, fileId]) => ({ group, name, fileId })))
      },
      fetch: async (wanted, folder) => {
        this.fetched.push([wanted.name, wanted.fileId[0] ?? '', folder])
        return accept({ isWaiting: this.isWaiting, done: this.onFetch(wanted) })
      },
      onNotice: (sentence) => this.notices.push(sentence),
      onFailure: (error) => {
        throw error
      },
    }
    return new Subscriptions(this.store, events, 3_600_000)
  }
}

test('what a pattern means is fetched, what is there already and what comes later', async () => {
  const place = new Place()
  place.share('a.jpg', 'a')
  place.share('b.txt', 'b')
  expect(await place.subscriptions.add('g', '*.jpg', place.path('photos'))).toMatchObject({ ok: true })
  await place.until(['a.jpg'])
  expect(existsSync(place.path('photos'))).toBe(true)
  for (const name of ['c.jpg', 'd.txt']) {
    place.share(name, 'c')
    place.tell(name)
  }
  await place.until(['a.jpg', 'c.jpg'])
  expect(place.fetched[1]).toEqual(['c.jpg', 'c', place.path('photos')])
})

test('a new version replaces the one before, and the same one is fetched once', async () => {
  const place = new Place()
  place.share('a', '1')
  await place.subscriptions.add('g', '*', place.path('in'))
  await place.until(['a'])
  place.tell('a')
  place.share('a', '2')
  place.tell('a')
  place.tell('a')
  await place.until(['a', 'a'])
  expect(place.fetched.map(([, content]) => content)).toEqual(['1', '2'])
})

test('after a restart only what came meanwhile is fetched, and nothing is listed when nothing came', async () => {
  const place = new Place()
  place.share('a', '1')
  await place.subscriptions.add('g', '*', place.path('in'))
  await place.until(['a'])
  place.subscriptions.lookAgain()
  await vi.waitFor(() => expect(place.store.positions.get('g')).toBe(place.position))
  const { listings } = place
  await place.restart()
  await vi.waitFor(() => expect(place.followed.has('g')).toBe(true))
  expect(place.listings).toBe(listings)
  place.share('b', '2')
  await place.restart()
  await place.until(['a', 'b'])
  expect(place.listings).toBe(listings + 1)
})

test('what cannot be fetched is said once, and tried again when something changes', async () => {
  const place = new Place()
  place.share('a', '1')
  place.onFetch = async () => refuse('local-file', 'it is in the way')
  await place.subscriptions.add('g', '*', place.path('in'))
  await vi.waitFor(() => expect(place.notices).toEqual(['a of g is not fetched: it is in the way']))
  place.share('b', '1')
  place.subscriptions.lookAgain()
  await vi.waitFor(() => expect(place.fetched.map(([name]) => name)).toEqual(['a', 'a', 'b']))
  expect(place.notices.filter((notice) => notice.startsWith('a '))).toHaveLength(1)
})

test('a tracker that is away is asked again when it is back', async () => {
  const place = new Place()
  await place.subscriptions.add('g', '*', place.path('in'))
  place.isAway = true
  place.share('a', '1')
  await place.restart()
  place.isAway = false
  place.subscriptions.lookAgain()
  await place.until(['a'])
  expect(place.notices).toEqual([])
})

test('nothing more is fetched after the end of a wish, and the last one of a group ends the following', async () => {
  const place = new Place()
  await place.subscriptions.add('g', '*.a', place.path('in'))
  await place.subscriptions.add('g', '*.b', place.path('in'))
  expect(await place.subscriptions.remove('g', '*.c')).toMatchObject({ refusal: { code: 'usage' } })
  await place.subscriptions.remove('g', '*.a')
  expect(place.followed.has('g')).toBe(true)
  place.share('x.a', '1')
  place.share('x.b', '1')
  place.tell('x.a')
  place.tell('x.b')
  await place.until(['x.b'])
  await place.subscriptions.remove('g', '*.b')
  expect(place.followed.has('g')).toBe(false)
  expect(place.open().all).toEqual([])
})

test('a version that comes while the one before waits for its turn takes its place', async () => {
  const place = new Place()
  let release = (): void => undefined
  place.onFetch = () => new Promise((resolve) => (release = () => resolve(accept(undefined))))
  await place.subscriptions.add('g', '*', place.path('in'))
  const names = Array.from({ length: 8 }, (_, index) => `busy${index}`)
  for (const name of [...names, 'late']) {
    place.share(name, '1')
    place.tell(name)
  }
  await vi.waitFor(() => expect(place.fetched).toHaveLength(8))
  place.share('late', '2')
  place.tell('late')
  place.onFetch = async () => accept(undefined)
  release()
  await vi.waitFor(() => expect(place.fetched.at(-1)).toEqual(['late', '2', place.path('in')]))
  expect(place.fetched.filter(([name]) => name === 'late')).toHaveLength(1)
})

test('what nobody has holds up nothing else', async () => {
  const place = new Place()
  place.isWaiting = true
  place.onFetch = () => new Promise(() => undefined)
  await place.subscriptions.add('g', '*', place.path('in'))
  const names = Array.from({ length: 30 }, (_, index) => `absent${index}`)
  for (const name of names) {
    place.share(name, '1')
    place.tell(name)
  }
  await vi.waitFor(() => expect(place.fetched).toHaveLength(30))
})

test.each([
  ['', 'the pattern is missing; * means every name'],
  ['[a', 'the pattern [a lacks a closing bracket'],
  ['*'.repeat(300), 'a pattern has at most 255 characters'],
])('the pattern %.10j is refused', async (glob, sentence) => {
  const place = new Place()
  expect(await place.subscriptions.add('g', glob, place.path('in'))).toMatchObject({ refusal: { sentence } })
  expect(place.subscriptions.all).toEqual([])
})

test('names that begin with a dot are meant too, and a pattern that goes elsewhere already is refused', async () => {
  const place = new Place()
  place.share('.hidden', '1')
  await place.subscriptions.add('g', '*', place.path('in'))
  await place.until(['.hidden'])
  expect(await place.subscriptions.add('g', '*', place.path('other'))).toMatchObject({
    refusal: { sentence: `* of g goes to ${place.path('in')} already; unsubscribe first` },
  })
  expect(await place.subscriptions.add('nowhere', '*', place.path('in'))).toMatchObject({
    refusal: { code: 'no-such-group' },
  })
})
