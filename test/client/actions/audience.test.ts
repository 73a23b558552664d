// Who of a group has a file, from what trackers and peers announced.

import { expect, test } from 'vitest'
import { Audience } from '../../../src/client/actions/audience.ts'
import type { Core } from '../../../src/client/actions/core.ts'
import { Progress } from '../../../src/client/actions/progress.ts'
import type { Session } from '../../../src/client/session.ts'
import { Failure } from '../../../src/common/failure.ts'
import { accept } from '../../../src/common/refusal.ts'
import { entry } from '../prompt/fake-operations.ts'

function asking({ needsSwarm = false, isLost = false } = {}) {
  const asked: string[] = []
  const link = {
    ask: async (method: string) => {
      asked.push(method)
      if (isLost) throw new Failure('connection-lost', 'no tracker')
      if (method === 'list_members') return accept({ users: ['ann', 'ben', 'cem', 'dora'], more: false })
      return accept({
        peers: [
          { user: 'ann', complete: true },
          { user: 'ben', complete: false },
        ],
      })
    },
  }
  const session = { user: 'eve', downloads: { needsSwarm: () => needsSwarm } } as unknown as Session
  return { audience: new Audience({ link } as unknown as Core), asked, session }
}

const peer = { peer: 'cem@10.0.0.1', bytesInPerSecond: 0, bytesOutPerSecond: 0, way: 'direct' as const }

test('members have it, lack some of it or are absent, and who lacks some is named only when online', async () => {
  const { audience, session } = asking()
  await audience.refresh(session, 'g', 'f')
  const peers = [{ ...peer, user: 'cem', pieces: 10 }]
  expect(audience.of(session, entry({ group: 'g', name: 'f', peers }))).toEqual({
    whole: ['ann', 'eve'],
    lacking: [
      { user: 'ben', pieces: undefined, secondsLeft: undefined },
      { user: 'cem', pieces: 10, secondsLeft: undefined },
    ],
    absent: ['dora'],
    absentCount: 1,
  })
})

test('a peer that has all pieces has the whole, before a tracker hears of it', async () => {
  const { audience, session } = asking()
  await audience.refresh(session, 'g', 'f')
  const peers = [{ ...peer, user: 'ben', pieces: 40 }]
  expect(audience.of(session, entry({ group: 'g', name: 'f', peers }))).toMatchObject({
    whole: ['ann', 'eve', 'ben'],
    lacking: [],
  })
})

test('however often somebody looks, the trackers are asked now and then, and tell no news of it', async () => {
  const { audience, asked, session } = asking()
  for (let look = 0; look < 20; look++) await audience.refresh(session, 'g', 'f')
  expect(asked.toSorted()).toEqual(['find_file', 'forget_file', 'list_members'])
})

test('a download goes on being told of its swarm', async () => {
  const { audience, asked, session } = asking({ needsSwarm: true })
  await audience.refresh(session, 'g', 'f')
  expect(asked).not.toContain('forget_file')
})

test('without a tracker nothing is claimed', async () => {
  const { audience, session } = asking({ isLost: true })
  await audience.refresh(session, 'g', 'f')
  expect(audience.of(session, entry({ group: 'g', name: 'f' }))).toBeUndefined()
})

test('what another user saw is forgotten', async () => {
  const { audience, session } = asking()
  await audience.refresh(session, 'g', 'f')
  const other = { user: 'fay', downloads: session.downloads } as unknown as Session
  expect(audience.of(other, entry({ group: 'g', name: 'f' }))).toBeUndefined()
})

test('the time that is left follows what was gained over the last half minute', () => {
  const progress = new Progress()
  const at = (seconds: number, pieces: number): number | undefined =>
    progress.secondsLeft('ben', pieces, 100, seconds * 1000)
  expect(at(0, 10)).toBeUndefined()
  expect(at(1, 11)).toBeUndefined()
  expect(at(10, 20)).toBe(80)
  expect(at(20, 30)).toBe(70)
  // Slower by ten from here: after two windows the fast time is forgotten.
  expect(at(40, 32)).toBeGreaterThan(70)
  expect(at(60, 34)).toBeCloseTo(66 * 10, 0)
  // It began anew.
  expect(at(61, 0)).toBeUndefined()
})
