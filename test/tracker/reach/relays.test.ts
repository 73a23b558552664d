// Who forwards between two clients, and where they find it.

import { connect } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { makeNonce } from '../../../src/common/security/challenge.ts'
import { Relay } from '../../../src/common/wire/relay.ts'
import { encodeRoleHello } from '../../../src/common/wire/role-hello.ts'
import type { Login } from '../../../src/tracker/presence/login.ts'
import { OwnPlace } from '../../../src/tracker/reach/own-place.ts'
import { Relays } from '../../../src/tracker/reach/relays.ts'
import { aLogin } from '../presence/a-login.ts'
import { TestClient } from '../support/test-client.ts'
import { runTrackerWith } from '../support/test-tracker.ts'

/** What each login is told, by key. */
const told = new Map<string, { method: string; params: object }[]>()

function login(key: string, facts: Partial<Login> = {}): Login {
  const lines: { method: string; params: object }[] = []
  told.set(key, lines)
  const outlet = {
    sendLine: (line: string) => void lines.push(JSON.parse(line)),
    isBehind: false,
    close: () => undefined,
    whenDrained: () => Promise.resolve(),
  }
  return aLogin(key, outlet, facts)
}

const [caller, called] = [login('caller'), login('called')]
const request = { group: 'g', caller, called, isMember: (user: string) => user !== 'user of stranger' }
const nowhere = { placeFor: () => undefined }

/** Offers to forward, and others have come there. */
function offering(key: string, facts: Partial<Login> = {}): Login {
  return login(key, { relays: true, reachable: true, host: '192.0.2.9', port: 4009, ...facts })
}

test('a member who offers it forwards: it is told for whom, and each of the two gets one of its tokens', () => {
  const member = offering('member')
  const relays = new Relays({ presence: { relaying: [member] }, own: undefined, place: nowhere })
  const between = relays.between(request)
  expect(between).toEqual({
    forCaller: { host: '192.0.2.9', port: 4009, token: expect.any(String) },
    forCalled: { host: '192.0.2.9', port: 4009, token: expect.any(String) },
  })
  const tokens = [between?.forCaller.token, between?.forCalled.token]
  expect(new Set(tokens).size).toBe(2)
  expect(told.get('member')).toMatchObject([
    { method: 'relay_for', params: { group: 'g', users: ['user of caller', 'user of called'], tokens } },
  ])
})

test('nobody forwards who is no member, has not been reached, or is one of the two', () => {
  const relaying = [
    offering('stranger'),
    offering('unknown', { reachable: undefined }),
    offering('unreachable', { reachable: false }),
    offering('caller'),
    offering('called'),
  ]
  const relays = new Relays({ presence: { relaying }, own: undefined, place: nowhere })
  expect(relays.between(request)).toBeUndefined()
  for (const { key } of relaying) expect(told.get(key)).toEqual([])
})

test('of several members, chance decides', () => {
  const relaying = [offering('first'), offering('second'), offering('third')]
  const chosen = [0, 0.34, 0.99].map((random) => {
    const place = { presence: { relaying }, own: undefined, place: nowhere, random: () => random }
    new Relays(place).between(request)
    return relaying.findIndex(({ key }) => told.get(key)?.splice(0).length === 1)
  })
  expect(chosen).toEqual([0, 1, 2])
})

test('the tracker forwards before members do, and members when it has too much', () => {
  const own = new Relay({ bytesPerSecond: undefined, limits: { pairsOfUser: 1 } })
  onTestFinished(() => own.close())
  const member = offering('member')
  const place = { placeFor: ({ inside }: Pick<Login, 'inside'>) => ({ host: inside, port: 9002 }) }
  const relays = new Relays({ presence: { relaying: [member] }, own, place })
  expect(relays.between(request)?.forCaller).toMatchObject({ host: '10.0.0.9', port: 9002 })
  expect(relays.between(request)?.forCaller).toMatchObject({ host: '192.0.2.9', port: 4009 })
})

test('each client finds the tracker where it has come to it, also where it listens on all addresses', () => {
  const place = new OwnPlace({ named: undefined, port: () => 9002, onTrouble: () => undefined })
  const from = (inside: string, host: string) => place.placeFor({ inside, outside: { host, port: 1 } })
  expect(from('198.51.100.1', '192.0.2.1')).toEqual({ host: '198.51.100.1', port: 9002 })
  expect(from('10.0.0.9', '10.0.0.1')).toEqual({ host: '10.0.0.9', port: 9002 })
  expect(from('127.0.0.1', '127.0.0.1')).toEqual({ host: '127.0.0.1', port: 9002 })
  // Behind a router, where nobody says where that is.
  expect(from('10.0.0.9', '192.0.2.1')).toBeUndefined()
  expect(from('', '192.0.2.1')).toBeUndefined()
})

test('behind a router, clients from outside find the tracker where it is advertised, at an address of the Internet', async () => {
  const named = async (host: string, port: number) => {
    const place = new OwnPlace({ named: { host, port }, port: () => 9002, onTrouble: () => undefined })
    place.start()
    onTestFinished(() => place.close())
    // Looking up an address takes no more than a turn.
    await new Promise((resolve) => setImmediate(resolve))
    return place.placeFor({ inside: '10.0.0.9', outside: { host: '192.0.2.1', port: 1 } })
  }
  expect(await named('198.51.100.1', 0)).toEqual({ host: '198.51.100.1', port: 9002 })
  expect(await named('198.51.100.1', 443)).toEqual({ host: '198.51.100.1', port: 443 })
  for (const host of ['0.0.0.0', '10.0.0.9', '127.0.0.1']) expect(await named(host, 0)).toBeUndefined()
})

/** Ann and Ben are in a group at a tracker with these options. */
async function atTracker(options: Parameters<typeof runTrackerWith>[0]) {
  const tracker = await runTrackerWith(options)
  const [ann, ben] = [
    await TestClient.loggedIn(tracker.address, 'ann'),
    await TestClient.loggedIn(tracker.address, 'ben'),
  ]
  await ann.change('create_group', { group: 'g' })
  await ben.change('join_group', { group: 'g' })
  await ann.change('accept_request', { group: 'g', user: 'ben' })
  const key = ann.identity.publicKey
  const call = () =>
    ben.request('call_peer', { group: 'g', user: 'ann', key, token: makeNonce(), relay: true })
  return { tracker, ann, call }
}

test('two who are told of a tracker that forwards reach each other there', async () => {
  const { tracker, ann, call } = await atTracker({ relay: { bytesPerSecond: undefined } })
  const answer = await call()
  const relay = answer.ok ? answer.value.relay : undefined
  expect(relay).toEqual({ ...tracker.address, token: expect.any(String) })
  const other = ((await ann.hears('peer_calls')) as { relay: NonNullable<typeof relay> }).relay
  expect(other).toMatchObject(tracker.address)
  expect(other.token).not.toBe(relay?.token)
  const heard = ['', '']
  for (const [index, token] of [relay?.token ?? '', other.token].entries()) {
    const socket = connect(tracker.address)
    onTestFinished(() => void socket.destroy())
    socket.on('data', (bytes: Buffer) => void (heard[index] += bytes.toString()))
    socket.write(`${encodeRoleHello({ role: 'relays', token })}from ${index}`)
  }
  await vi.waitFor(() => expect(heard).toEqual(['from 1', 'from 0']))
})

test('a tracker that does not forward says nothing of it, and lets nobody in', async () => {
  const { tracker, ann, call } = await atTracker({})
  const answer = await call()
  expect(answer).toMatchObject({ ok: true })
  expect(answer).not.toMatchObject({ value: { relay: expect.anything() } })
  expect(await ann.hears('peer_calls')).not.toHaveProperty('relay')
  const socket = connect(tracker.address)
  onTestFinished(() => void socket.destroy())
  socket.write(encodeRoleHello({ role: 'relays', token: makeNonce() }))
  let text = ''
  socket.on('data', (bytes: Buffer) => void (text += bytes.toString()))
  await vi.waitFor(() => expect(text).toContain('nothing of the kind is expected here'))
})
