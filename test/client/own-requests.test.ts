// What an asker is told who was away while his request was decided.

import { expect, test, vi } from 'vitest'
import type { ClientEvent } from '../../src/client/operations.ts'
import { OwnRequests } from '../../src/client/own-requests.ts'
import { UserStore } from '../../src/client/storage/user-store.ts'
import { Failure } from '../../src/common/failure.ts'
import type { Standing } from '../../src/common/protocol/listings.ts'
import { accept, refuse } from '../../src/common/refusal.ts'
import { temporaryFolder } from './temporary-folder.ts'

const done = async () => accept(undefined)

/** A user who begins anew with `again`, at a tracker where they stand as `standings` says. */
async function asker(standings: Record<string, Standing>) {
  const folder = temporaryFolder()
  const events: ClientEvent[] = []
  const tracker = { isGone: false, asked: 0, standings }
  const link = {
    ask: async () => {
      tracker.asked++
      if (tracker.isGone) throw new Failure('connection-lost', 'gone')
      const groups = Object.entries(tracker.standings).map(([group, standing]) => ({
        group,
        owner: 'ann',
        members: 1,
        standing,
      }))
      return accept({ groups, more: false })
    },
  }
  const open = async (): Promise<{ requests: OwnRequests; store: UserStore }> => {
    const ignored = { onTrouble: () => undefined, onUnused: async () => undefined }
    const store = await UserStore.open(folder, 'c1', 'ben', ignored)
    const onEvent = (event: ClientEvent): void => void events.push(event)
    return { store, requests: new OwnRequests({ link: link as never, store, onEvent }) }
  }
  return { events, tracker, open }
}

const decided = (group: string, accepted: boolean) => ({ kind: 'request-decided', group, accepted })

test('after a restart he is told of each decision, once; what is undecided waits', async () => {
  const { open, events, tracker } = await asker({ in: 'requested', out: 'requested', open: 'requested' })
  const { requests, store } = await open()
  for (const group of ['in', 'out', 'open', 'gone']) await requests.asking(group, done)
  await store.saved()
  tracker.standings = { in: 'member', out: 'none', open: 'requested' }
  const again = await open()
  await again.requests.catchUp()
  expect(events).toEqual([decided('in', true), decided('out', false), decided('gone', false)])
  await again.store.saved()
  await (await open()).requests.catchUp()
  expect(events).toHaveLength(3)
  expect((await open()).store.requests()).toEqual(['open'])
})

test('one who has asked nothing asks no tracker', async () => {
  const { open, tracker } = await asker({})
  await (await open()).requests.catchUp()
  expect(tracker.asked).toBe(0)
})

test('a decision that was told live is not told again, and one found in a listing is not told live', async () => {
  const { open, events, tracker } = await asker({ in: 'member' })
  const { requests } = await open()
  await requests.asking('in', done)
  expect(requests.onDecided('in')).toBe(true)
  await requests.catchUp()
  expect(events).toEqual([])
  await requests.asking('in', done)
  await requests.catchUp()
  expect(events).toEqual([decided('in', true)])
  expect(requests.onDecided('in')).toBe(false)
  // The next one is another.
  expect(requests.onDecided('in')).toBe(true)
  expect(tracker.asked).toBe(1)
})

test('what is decided before the answer to the request comes is told live alone', async () => {
  const { open, events } = await asker({ in: 'member' })
  const { requests } = await open()
  await requests.asking('in', async () => {
    expect(requests.onDecided('in')).toBe(true)
    return accept(undefined)
  })
  await requests.catchUp()
  expect(events).toEqual([])
})

test('a request under way counts as undecided, whatever a tracker lists', async () => {
  const { open, events } = await asker({ g: 'none' })
  const { requests } = await open()
  let answer = (): void => undefined
  const asking = requests.asking(
    'g',
    () => new Promise((resolve) => (answer = () => resolve(accept(undefined)))),
  )
  await requests.catchUp()
  expect(events).toEqual([])
  answer()
  await asking
})

test('a refused request is none, unless there was one already', async () => {
  const { open } = await asker({})
  const { requests, store } = await open()
  await requests.asking('nowhere', async () => refuse('no-such-group', 'there is no group nowhere'))
  await requests.asking('g', async () => refuse('already-requested', 'you have asked already'))
  await expect(
    requests.asking('h', () => Promise.reject(new Failure('connection-lost', 'gone'))),
  ).rejects.toThrow('gone')
  expect(store.requests()).toEqual(['g'])
})

test('without a tracker nothing is told, and the next one that comes up is asked', async () => {
  const { open, events, tracker } = await asker({ in: 'member' })
  const { requests } = await open()
  await requests.asking('in', done)
  tracker.isGone = true
  await requests.catchUp()
  tracker.isGone = false
  await requests.catchUp()
  expect(events).toEqual([decided('in', true)])
})

test('after a logout nothing is told', async () => {
  const { open, events } = await asker({ in: 'member' })
  const { requests, store } = await open()
  await requests.asking('in', done)
  const looked = requests.catchUp()
  requests.close()
  await looked
  expect(events).toEqual([])
  await vi.waitFor(() => expect(store.requests()).toEqual(['in']))
})
