// Swarms in memory: who is named to whom, and when watchers are told.

import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { Failure } from '../../../src/common/failure.ts'
import { peersPerFileMax } from '../../../src/common/limits.ts'
import {
  announcedOfUserMax,
  newsPaceMaxMs,
  newsPaceMinMs,
  noticesWaitingMax,
  peersOfUserMax,
  watchedOfUserMax,
} from '../../../src/tracker/limits.ts'
import type { Login } from '../../../src/tracker/presence/login.ts'
import { noticeOf, type Outlet } from '../../../src/tracker/presence/news.ts'
import { Presence } from '../../../src/tracker/presence/presence.ts'
import { aLogin } from './a-login.ts'

const version = { group: 'g', name: 'f', fileId: 'one' }

interface Changed {
  joined: { key: string; user: string; complete: boolean }[]
  left: string[]
}

interface TestLogin extends Login {
  readonly heard: Changed[]
  readonly lines: string[]
}

/** Reads whatever it is sent, unless the test holds it up. */
class TestOutlet implements Outlet {
  readonly lines: string[] = []
  isBehind = false
  closedBecause: string | undefined
  #drained: (() => void)[] = []

  sendLine(line: string): void {
    this.lines.push(line)
  }

  whenDrained(): Promise<void> {
    return new Promise((resolve) => this.#drained.push(resolve))
  }

  close({ message }: Failure): void {
    this.closedBecause ??= message
  }

  async catchUp(): Promise<void> {
    this.isBehind = false
    for (const resolve of this.#drained.splice(0)) resolve()
    await Promise.resolve()
  }
}

function loginOf(
  presence: Presence,
  key: string,
  user = `user of ${key}`,
  outlet = new TestOutlet(),
): TestLogin {
  const login = Object.defineProperties(aLogin(key, outlet, { user }), {
    lines: { value: outlet.lines },
    heard: { get: () => outlet.lines.map((line) => JSON.parse(line).params) },
  }) as TestLogin
  presence.onLogin(login)
  return login
}

/** Numbers from 0 up to 1 that are the same each time. */
function steady(): () => number {
  let next = 0
  return () => (next = (next * 16_807 + 11) % 2_147_483_647) / 2_147_483_647
}

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
  })
  onTestFinished(() => void vi.useRealTimers())
})

/** Long enough for a round of news of any swarm. */
async function round(): Promise<void> {
  await vi.advanceTimersByTimeAsync(newsPaceMaxMs)
}

test('what changes in a turn after a quiet time is told at its end, each peer once', async () => {
  const presence = new Presence()
  const watcher = loginOf(presence, 'w')
  const [a, b, c] = [loginOf(presence, 'a'), loginOf(presence, 'b'), loginOf(presence, 'c')]
  presence.watch(watcher, version)
  presence.announce(a, version, false)
  presence.announce(a, version, true)
  presence.announce(b, version, true)
  presence.announce(c, version, true)
  presence.onLogout(c)
  await vi.advanceTimersByTimeAsync(1)
  expect(watcher.heard).toHaveLength(1)
  const [{ joined, left }] = watcher.heard as [Changed]
  expect(joined.map(({ key, complete }) => `${key} ${complete}`).toSorted()).toEqual(['a true', 'b true'])
  expect(left).toEqual([])
})

test('what comes soon after is told with the next round, and what was undone meanwhile is not told at all', async () => {
  const presence = new Presence()
  const watcher = loginOf(presence, 'w')
  const [a, b] = [loginOf(presence, 'a'), loginOf(presence, 'b')]
  presence.watch(watcher, version)
  presence.announce(a, version, true)
  await vi.advanceTimersByTimeAsync(1)
  for (let count = 0; count < 100; count++) {
    presence.announce(b, version, true)
    presence.retract(b, version)
  }
  await vi.advanceTimersByTimeAsync(newsPaceMinMs / 2)
  expect(watcher.heard).toHaveLength(1)
  await round()
  expect(watcher.heard).toHaveLength(1)
  presence.retract(a, version)
  await round()
  expect(watcher.heard[1]).toMatchObject({ joined: [], left: ['a'] })
})

test('that a peer became complete is told by itself to its peers, and by the tracker to nobody', async () => {
  const presence = new Presence()
  const watcher = loginOf(presence, 'w')
  const a = loginOf(presence, 'a')
  presence.announce(a, version, false)
  presence.watch(watcher, version)
  presence.announce(a, version, true)
  await round()
  expect([watcher.heard, presence.seeders(version)]).toEqual([[], 1])
  expect(presence.watch(watcher, version)).toMatchObject([{ key: 'a', complete: true }])
})

test('nobody is told about itself', async () => {
  const presence = new Presence()
  const a = loginOf(presence, 'a')
  expect(presence.watch(a, version)).toEqual([])
  presence.announce(a, version, true)
  await round()
  expect(a.heard).toEqual([])
  expect(presence.watch(a, version)).toEqual([])
})

test('a client that reconnects is there twice for a moment, and has not left', async () => {
  const presence = new Presence()
  const watcher = loginOf(presence, 'w')
  const before = loginOf(presence, 'a')
  presence.announce(before, version, true)
  expect(presence.watch(watcher, version)).toHaveLength(1)
  const again = loginOf(presence, 'a')
  presence.announce(again, version, true)
  expect(presence.watch(loginOf(presence, 'x'), version)).toHaveLength(1)
  presence.onLogout(before)
  await round()
  expect(watcher.heard).toMatchObject([{ joined: [{ key: 'a' }], left: [] }])
})

test('a swarm that is gone has no more news', async () => {
  const presence = new Presence()
  const [watcher, a] = [loginOf(presence, 'w'), loginOf(presence, 'a')]
  presence.watch(watcher, version)
  presence.announce(a, version, true)
  expect([...presence.dropSwarm(version)].map(({ key }) => key).toSorted()).toEqual(['a', 'w'])
  await round()
  expect(watcher.heard).toEqual([])
  expect([presence.seeders(version), presence.announcedCount, presence.swarmCount]).toEqual([0, 0, 0])
})

test('of a large swarm everybody gets a sample in which any peer may be', () => {
  const presence = new Presence(steady())
  const asker = loginOf(presence, 'asker')
  for (let index = 0; index < 200; index++) presence.announce(loginOf(presence, `k${index}`), version, true)
  const named = new Set<string>()
  for (let time = 0; time < 40; time++) {
    const peers = presence.watch(asker, version) ?? []
    expect(new Set(peers.map((peer) => peer.key)).size).toBe(peersPerFileMax)
    for (const peer of peers) named.add(peer.key)
  }
  expect(named.size).toBe(200)
})

// One member announced himself as many: the real seeder was named in 12 % of the answers.
test('somebody who announces himself as many keeps nobody else from being named', () => {
  const presence = new Presence(steady())
  const real = loginOf(presence, 'real', 'ann')
  for (let index = 0; index < 400; index++)
    presence.announce(loginOf(presence, `k${index}`, 'mallory'), version, true)
  presence.announce(real, version, true)
  for (let time = 0; time < 50; time++) {
    const users = presence.watch(loginOf(presence, `asker ${time}`), version)?.map(({ peer }) => peer.user)
    expect(users).toContain('ann')
    expect(users?.filter((user) => user === 'mallory')).toHaveLength(peersOfUserMax)
  }
  expect(presence.seeders(version)).toBe(peersOfUserMax + 1)
})

// The ninth client of a user was told that it was announced, and nobody ever heard of it: a link that broke eight times
// made a seeder invisible.
test('a client that comes ninth of its user is named when those before it have gone', () => {
  const presence = new Presence()
  const former = Array.from({ length: peersOfUserMax }, (_, index) => loginOf(presence, `k${index}`, 'ann'))
  for (const login of former) presence.announce(login, version, true)
  presence.announce(loginOf(presence, 'alive', 'ann'), version, true)
  for (const login of former) presence.onLogout(login)
  expect(presence.watch(loginOf(presence, 'asker'), version)).toMatchObject([
    { key: 'alive', complete: true },
  ])
  expect(presence.seeders(version)).toBe(1)
})

test('a client that reconnects takes the place of the one that it was', () => {
  const presence = new Presence()
  for (let count = 0; count < 20; count++) presence.announce(loginOf(presence, 'a', 'ann'), version, true)
  expect(presence.seeders(version)).toBe(1)
})

// Its watchers were told that it had left, when it was only logged in anew.
test('a client that is there as two users for a moment leaves only with the second', async () => {
  const presence = new Presence(steady())
  const before = loginOf(presence, 'a', 'ann')
  presence.announce(before, version, true)
  const watcher = loginOf(presence, 'w')
  presence.watch(watcher, version)
  for (let index = 0; index < 2 * peersPerFileMax; index++)
    presence.announce(loginOf(presence, `k${index}`), version, true)
  const again = loginOf(presence, 'a', 'bob')
  presence.announce(again, version, true)
  await round()
  presence.onLogout(again)
  await round()
  expect(watcher.heard.flatMap(({ left }) => left)).toEqual([])
  presence.onLogout(before)
  await round()
  expect(watcher.heard.flatMap(({ left }) => left)).toEqual(['a'])
})

/** A version of the file with this number. */
function numbered(index: number): typeof version {
  return { ...version, name: `f${index}` }
}

// A hundred thousand watches took 174 MB, once for each of 64 logins.
test('one user watches and announces so many files, however many clients he has', () => {
  const presence = new Presence()
  const logins = ['a', 'b'].map((key) => loginOf(presence, key, 'mallory')) as [TestLogin, TestLogin]
  for (let index = 0; index < watchedOfUserMax; index++)
    presence.watch(logins[index % 2 === 0 ? 0 : 1], numbered(index))
  expect(presence.watch(logins[0], version)).toBeUndefined()
  expect(presence.watch(logins[0], numbered(0))).toEqual([])
  expect(presence.watch(loginOf(presence, 'c'), version)).toEqual([])
  for (let index = 0; index < announcedOfUserMax; index++)
    presence.announce(logins[index % 2 === 0 ? 0 : 1], numbered(index), true)
  expect(presence.announce(logins[1], version, true)).toBe(false)
  expect(presence.announce(logins[1], numbered(1), true)).toBe(true)
  expect(presence.announce(loginOf(presence, 'd'), version, true)).toBe(true)
})

// When a client with 100,000 shares left, nobody was answered for 2.4 s.
test('what somebody leaves behind in many swarms is cleared and told a little at a time', async () => {
  const presence = new Presence()
  const [leaver, watcher] = [loginOf(presence, 'a'), loginOf(presence, 'w')]
  for (let index = 0; index < 1000; index++) {
    presence.announce(leaver, numbered(index), true)
    presence.watch(watcher, numbered(index))
  }
  // Each look at the clock takes half a millisecond here.
  let ms = performance.now()
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => (ms += 0.5))
  presence.onLogout(leaver)
  expect(presence.announcedCount).toBe(0)
  expect(presence.seeders(numbered(0))).toBe(0)
  expect(presence.seeders(numbered(999))).toBe(1)
  for (let turn = 0; turn < 10; turn++) await vi.advanceTimersToNextTimerAsync()
  expect(watcher.lines.length).toBeLessThan(100)
  clock.mockRestore()
  await round()
  await round()
  expect(presence.seeders(numbered(999))).toBe(0)
  expect(watcher.heard.flatMap(({ left }) => left).length).toBe(1000)
})

test('a watcher knows so many peers at most, hears of those that leave, and gets others for them', async () => {
  const presence = new Presence(steady())
  const logins = Array.from({ length: 300 }, (_, index) => loginOf(presence, `k${index}`))
  for (const login of logins) presence.announce(login, version, true)
  const watcher = loginOf(presence, 'w')
  const known = new Set(presence.watch(watcher, version)?.map(({ key }) => key))
  for (let index = 300; index < 400; index++) presence.announce(loginOf(presence, `k${index}`), version, true)
  await round()
  expect(watcher.heard).toEqual([])
  const [first = ''] = known
  const strangers = logins.filter(({ key }) => !known.has(key))
  for (const login of strangers) presence.onLogout(login)
  presence.onLogout(logins.find(({ key }) => key === first) as Login)
  await round()
  expect(watcher.heard).toMatchObject([{ left: [first], joined: [{}] }])
  expect(known.has(watcher.heard[0]?.joined[0]?.key ?? first)).toBe(false)
})

// It was N times N: 1.77 GB for 2,000 clients that came to one swarm.
test('a crowd that comes to a swarm costs each of its clients so many peers, however large it is', async () => {
  const words = async (count: number): Promise<number> => {
    const presence = new Presence(steady())
    let named = 0
    const logins: TestLogin[] = []
    for (let index = 0; index < count; index++) {
      const login = loginOf(presence, `k${index}`)
      logins.push(login)
      named += presence.watch(login, version)?.length ?? 0
      presence.announce(login, version, false)
      if (index % 20 === 0) await round()
    }
    await round()
    return named + logins.reduce((sum, { heard }) => sum + heard.flatMap(({ joined }) => joined).length, 0)
  }
  expect(await words(1000)).toBeLessThanOrEqual(1000 * peersPerFileMax)
})

test('many watchers of one change are told in the same words, which are made once', async () => {
  const presence = new Presence()
  const watchers = Array.from({ length: 20 }, (_, index) => loginOf(presence, `w${index}`))
  for (const watcher of watchers) presence.watch(watcher, version)
  const encode = vi.spyOn(JSON, 'stringify')
  onTestFinished(() => encode.mockRestore())
  presence.announce(loginOf(presence, 'a'), version, true)
  await round()
  expect(watchers.map(({ lines }) => lines.length)).toEqual(watchers.map(() => 1))
  expect(encode).toHaveBeenCalledTimes(1)
})

test('a login that is behind is told later, and then only what is still so', async () => {
  const presence = new Presence()
  const outlet = new TestOutlet()
  const watcher = loginOf(presence, 'w', 'wim', outlet)
  const a = loginOf(presence, 'a')
  presence.watch(watcher, version)
  outlet.isBehind = true
  for (let count = 0; count < 1000; count++) {
    presence.tell('wim', noticeOf('request_decided', 'g', { group: 'g', accepted: count % 2 === 0 }))
    presence.announce(a, version, true)
    await round()
    if (count % 2 === 0) presence.retract(a, version)
  }
  expect(outlet.lines).toEqual([])
  await outlet.catchUp()
  expect(watcher.heard).toMatchObject([{ accepted: false }, { joined: [{ key: 'a' }] }])
})

test('somebody for whom too much waits to be read is cut, and asks anew when he is back', () => {
  const presence = new Presence()
  const outlet = new TestOutlet()
  loginOf(presence, 'w', 'wim', outlet)
  outlet.isBehind = true
  for (let index = 0; index < noticesWaitingMax; index++)
    presence.tell('wim', noticeOf('file_gone', String(index), { group: 'g', name: 'n', fileId: 'f' }))
  expect(outlet.closedBecause).toBeUndefined()
  presence.tell('wim', noticeOf('file_gone', 'one more', { group: 'g', name: 'n', fileId: 'f' }))
  expect(outlet.closedBecause).toBe('too much waits to be read')
})

test('what was not told before a logout is never told to whoever comes after it', async () => {
  const presence = new Presence()
  const outlet = new TestOutlet()
  const login = loginOf(presence, 'w', 'wim', outlet)
  outlet.isBehind = true
  presence.tell('wim', noticeOf('request_decided', 'g', { group: 'g', accepted: true }))
  login.news.end()
  await outlet.catchUp()
  login.news.tell(noticeOf('request_decided', 'h', { group: 'h', accepted: true }))
  expect(outlet.lines).toEqual([])
})

test('when everybody has gone nothing is left', () => {
  const presence = new Presence()
  const logins = ['a', 'b', 'c'].map((key) => loginOf(presence, key))
  for (const login of logins) {
    presence.announce(login, version, true)
    presence.watch(login, version)
  }
  for (const login of logins) presence.onLogout(login)
  expect([presence.loginCount, presence.swarmCount, [...presence.loginsOf('user of a')]]).toEqual([0, 0, []])
})
