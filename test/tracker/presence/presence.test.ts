// Swarms in memory: who is named to whom, and how often watchers are told.

import { expect, test } from 'vitest'
import { peersPerFileMax } from '../../../src/common/limits.ts'
import type { Login } from '../../../src/tracker/presence/login.ts'
import { Presence } from '../../../src/tracker/presence/presence.ts'

const version = { group: 'g', name: 'f', fileId: 'one' }

interface News {
  joined: { key: string; complete: boolean }[]
  left: string[]
}

function clientOf(presence: Presence, key: string): Login & { news: News[] } {
  const news: News[] = []
  const client = {
    user: `user of ${key}`,
    key,
    host: '10.0.0.1',
    port: 4000,
    tell: (_method: string, params: unknown) => void news.push(params as News),
    announced: new Set(),
    watched: new Map(),
    news,
  } as unknown as Login & { news: News[] }
  presence.onLogin(client)
  return client
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}

test('all changes of a turn are told at once, and only the last word on each peer', async () => {
  const presence = new Presence()
  const watcher = clientOf(presence, 'w')
  const [a, b, c] = [clientOf(presence, 'a'), clientOf(presence, 'b'), clientOf(presence, 'c')]
  presence.watch(watcher, version)
  presence.announce(a, version, false)
  presence.announce(a, version, true)
  presence.announce(b, version, true)
  presence.announce(c, version, true)
  presence.onLogout(c)
  await nextTurn()
  expect(watcher.news).toMatchObject([
    {
      joined: [
        { key: 'a', complete: true },
        { key: 'b', complete: true },
      ],
      left: ['c'],
    },
  ])
})

test('an announce that says nothing new is told to nobody', async () => {
  const presence = new Presence()
  const watcher = clientOf(presence, 'w')
  const a = clientOf(presence, 'a')
  presence.announce(a, version, true)
  presence.watch(watcher, version)
  await nextTurn()
  presence.announce(a, version, true)
  await nextTurn()
  expect(watcher.news).toEqual([])
})

test('nobody is told about itself', async () => {
  const presence = new Presence()
  const a = clientOf(presence, 'a')
  expect(presence.watch(a, version)).toEqual([])
  presence.announce(a, version, true)
  await nextTurn()
  expect(a.news).toEqual([])
  expect(presence.watch(a, version)).toEqual([])
})

test('a swarm that is gone has no more news', async () => {
  const presence = new Presence()
  const [watcher, a] = [clientOf(presence, 'w'), clientOf(presence, 'a')]
  presence.watch(watcher, version)
  presence.announce(a, version, true)
  expect([...presence.dropSwarm(version)].map((client) => client.key).toSorted()).toEqual(['a', 'w'])
  await nextTurn()
  expect(watcher.news).toEqual([])
  expect([presence.seeders(version), a.announced.size, watcher.watched.size]).toEqual([0, 0, 0])
})

test('of a large swarm everybody gets a sample in which any peer may be', () => {
  let next = 0
  const presence = new Presence(() => (next = (next * 16_807 + 11) % 2_147_483_647) / 2_147_483_647)
  const asker = clientOf(presence, 'asker')
  for (let index = 0; index < 200; index++) presence.announce(clientOf(presence, `k${index}`), version, true)
  const named = new Set<string>()
  for (let round = 0; round < 40; round++) {
    const peers = presence.watch(asker, version)
    expect(new Set(peers.map((peer) => peer.key)).size).toBe(peersPerFileMax)
    for (const peer of peers) named.add(peer.key)
  }
  expect(named.size).toBe(200)
})

test('news of many peers come in portions that fit on a line', async () => {
  const presence = new Presence()
  const watcher = clientOf(presence, 'w')
  presence.watch(watcher, version)
  const clients = Array.from({ length: 120 }, (_, index) => clientOf(presence, `k${index}`))
  for (const client of clients) presence.announce(client, version, true)
  await nextTurn()
  expect(watcher.news.map((news) => news.joined.length)).toEqual([50, 50, 20])
})

test('when everybody has gone nothing is left', () => {
  const presence = new Presence()
  const clients = ['a', 'b', 'c'].map((key) => clientOf(presence, key))
  for (const client of clients) {
    presence.announce(client, version, true)
    presence.watch(client, version)
  }
  for (const client of clients) presence.onLogout(client)
  expect([presence.logins.size, presence.swarm(version), [...presence.loginsOf('user of a')]]).toEqual([
    0,
    undefined,
    [],
  ])
})
