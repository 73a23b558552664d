// A tracker looks from outside for the clients that log in. Tests look for those on this machine, too.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { ProbeAnswers } from '../../../src/client/reach/probe-answers.ts'
import type { Address } from '../../../src/common/addresses.ts'
import { makeIdentity, type Identity } from '../../../src/common/security/identity.ts'
import { Listener } from '../../../src/common/wire/listener.ts'
import { peerConnectionLimits } from '../../../src/common/limits.ts'
import { Failure } from '../../../src/common/failure.ts'
import {
  probeGoodForMs,
  probesAtOnce,
  probesOfNetworkMax,
  probesWaitingMax,
} from '../../../src/tracker/limits.ts'
import type { Login } from '../../../src/tracker/presence/login.ts'
import { Member } from '../../../src/tracker/presence/roster.ts'
import { probe, type Probed } from '../../../src/tracker/reach/probe.ts'
import { Probes } from '../../../src/tracker/reach/probes.ts'
import { aLogin } from '../presence/a-login.ts'
import { vacantAddress } from './vacant.ts'

const here = '127.0.0.1'

/** A client's end, as far as it answers. */
async function clientWith(identity: Identity): Promise<Address> {
  const answers = new ProbeAnswers(identity)
  const listener = new Listener({
    limits: peerConnectionLimits,
    serve: ({ channel }) => channel.close(new Failure('protocol', 'only probes here')),
    onRole: (opened) => opened.hello.role === 'probes' && answers.take(opened),
  })
  onTestFinished(() => listener.close('the test is over'))
  return listener.listen({ host: here, port: 0 })
}

async function programThat(answers: (socket: Socket) => void): Promise<Address> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined)
    onTestFinished(() => void socket.destroy())
    answers(socket)
  })
  await new Promise<void>((resolve) => void server.listen(0, here, resolve))
  onTestFinished(() => void server.close())
  return { host: here, port: (server.address() as AddressInfo).port }
}

interface Seen {
  readonly login: Login
  readonly told: () => { reachable: boolean; why?: string }[]
}

/** A login that is seen at this address, and what it is told. */
function loginAt({ host, port }: Address, key = 'k'.repeat(43), facts: Partial<Login> = {}): Seen {
  const lines: string[] = []
  const outlet = {
    sendLine: (line: string) => void lines.push(line),
    isBehind: false,
    close: () => undefined,
    whenDrained: () => Promise.resolve(),
  }
  const login = aLogin(key, outlet, { host, port, outside: { host, port: 50_000 }, ...facts })
  return { login, told: () => lines.map((line) => JSON.parse(line).params) }
}

/** Probes that find what the test says, when it says so. */
function controlled() {
  const asked: { address: Address; found: (found: Probed) => void }[] = []
  let nowMs = 0
  const probes = new Probes({
    nowMs: () => nowMs,
    probe: (address) => new Promise((found) => void asked.push({ address, found })),
  })
  return { probes, asked, pass: (ms: number) => void (nowMs += ms) }
}

test('a client that answers with its key can be reached, and is told so; others are told so of it', async () => {
  const identity = makeIdentity()
  const address = await clientWith(identity)
  const probes = new Probes({ nowMs: Date.now, isLookedFor: () => true })
  const { login, told } = loginAt(address, identity.publicKey)
  const member = new Member(login, true)
  expect(JSON.parse(member.json)).not.toHaveProperty('reachable')
  probes.onLogin(login, undefined)
  await vi.waitFor(() => expect(told()).toEqual([{ ...address, reachable: true }]))
  expect(JSON.parse(member.json)).toMatchObject({ ...address, reachable: true })
  expect(probes.outcomes.get('reached')).toBe(1)
})

test('a client at whose address another one answers cannot be reached there, and is told so', async () => {
  const address = await clientWith(makeIdentity())
  const probes = new Probes({ nowMs: Date.now, isLookedFor: () => true })
  const { login, told } = loginAt(address, makeIdentity().publicKey)
  probes.onLogin(login, undefined)
  await vi.waitFor(() => expect(told()).toHaveLength(1))
  expect(told()).toMatchObject([
    { reachable: false, why: expect.stringMatching(/^another program answers at /) },
  ])
  expect(login.reachable).toBe(false)
})

test('where nobody listens, nobody is reached', async () => {
  const address = await vacantAddress()
  const probes = new Probes({ nowMs: Date.now, isLookedFor: () => true })
  const { login, told } = loginAt(address)
  probes.onLogin(login, undefined)
  await vi.waitFor(() => expect(told()).toHaveLength(1))
  expect(told()).toMatchObject([
    { reachable: false, why: expect.stringMatching(/^nobody answers at .*firewall/) },
  ])
})

test('what answers nonsense, too much, an old answer or nothing in time is another program', async () => {
  const identity = makeIdentity()
  const recorded = await programThat((socket) => {
    const signature = identity.sign('coterie probe 1', 'n'.repeat(32), identity.publicKey)
    const params = { key: identity.publicKey, signature }
    socket.end(`${JSON.stringify({ jsonrpc: '2.0', method: 'probed', params })}\n`)
  })
  const endless = await programThat((socket) => {
    const more = (): void =>
      void (socket.destroyed || socket.write('x'.repeat(1000), () => setImmediate(more)))
    more()
  })
  const polite = await programThat((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  const silent = await programThat(() => undefined)
  for (const address of [recorded, endless, polite]) expect(await probe(address, 3000)).toBe('other')
  expect(await probe(silent, 50)).toBe('other')
})

test('a client answers so many a second, and not one more', () => {
  let nowMs = 0
  const answers = new ProbeAnswers(makeIdentity(), () => nowMs)
  const socket = {
    resume: () => undefined,
    end: () => undefined,
    once: () => undefined,
    destroy: () => undefined,
  }
  const opened = {
    hello: { role: 'probes', token: 'n'.repeat(32) },
    socket,
    host: here,
    rest: Buffer.alloc(0),
  }
  const take = (): boolean => answers.take(opened as never)
  expect(Array.from({ length: 21 }, take).filter(Boolean)).toHaveLength(20)
  nowMs = 1000
  expect(take()).toBe(true)
})

test('only the address from which a client comes is dialled, on the port that it names, whatever it advertises', () => {
  const { probes, asked } = controlled()
  probes.onLogin(loginAt({ host: '192.0.2.1', port: 25 }).login, '198.51.100.9')
  // The operator allows the other address: it is not known whose it is.
  const elsewhere = loginAt({ host: '198.51.100.9', port: 4000 }, 'k', {
    outside: { host: '192.0.2.1', port: 1 },
  })
  probes.onLogin(elsewhere.login, undefined)
  expect(asked.map(({ address }) => address)).toEqual([{ host: '192.0.2.1', port: 25 }])
  expect(elsewhere.login.reachable).toBeUndefined()
})

test('a client whose advertised address is not passed on is told where others are sent and what to do', () => {
  const { probes, asked } = controlled()
  const { login, told } = loginAt({ host: '192.0.2.1', port: 4000 })
  probes.onLogin(login, '198.51.100.9')
  asked[0]?.found({ key: login.key })
  const why =
    'others are sent to 192.0.2.1, where this client comes from; the operator of the tracker can allow 198.51.100.9 by --advertised'
  return vi.waitFor(() => expect(told()).toEqual([{ host: '192.0.2.1', port: 4000, reachable: true, why }]))
})

test('a client on this machine, or one that does not know how to answer, is not looked for', () => {
  const { probes, asked } = controlled()
  probes.onLogin(loginAt({ host: here, port: 4000 }).login, undefined)
  probes.onLogin(loginAt({ host: '192.0.2.1', port: 4000 }, 'k', { takesCalls: false }).login, undefined)
  expect(asked).toEqual([])
})

test('a place is dialled once a minute at most, and its outcome is good for all who log in there meanwhile', async () => {
  const { probes, asked, pass } = controlled()
  const address = { host: '192.0.2.1', port: 4000 }
  const [first, during, after, other] = [
    loginAt(address),
    loginAt(address),
    loginAt(address),
    loginAt(address, 'another'),
  ]
  probes.onLogin(first.login, undefined)
  probes.onLogin(during.login, undefined)
  asked[0]?.found({ key: first.login.key })
  await vi.waitFor(() => expect(during.told()).toMatchObject([{ reachable: true }]))
  pass(probeGoodForMs - 1)
  probes.onLogin(after.login, undefined)
  probes.onLogin(other.login, undefined)
  expect([after.login.reachable, other.login.reachable]).toEqual([true, false])
  expect(asked).toHaveLength(1)
  pass(1)
  probes.onLogin(loginAt(address).login, undefined)
  expect(asked).toHaveLength(2)
})

test('one network has so many looks under way and not one more', async () => {
  const { probes, asked } = controlled()
  const at = (port: number, host = '192.0.2.1'): void =>
    probes.onLogin(loginAt({ host, port }).login, undefined)
  for (let port = 1; port <= probesOfNetworkMax + 1; port++) at(port)
  expect([asked.length, probes.outcomes.get('dropped')]).toEqual([probesOfNetworkMax, 1])
  at(1, '192.0.2.2')
  expect(asked).toHaveLength(probesOfNetworkMax + 1)
  asked[0]?.found('silent')
  await vi.waitFor(() => expect(probes.outcomes.get('silent')).toBe(1))
  at(999)
  expect(asked).toHaveLength(probesOfNetworkMax + 2)
})

test('so many looks are under way, so many wait, and not one more', () => {
  const { probes, asked } = controlled()
  const all = probesAtOnce + probesWaitingMax
  for (let index = 0; index <= all; index++) {
    const host = `10.0.${Math.floor(index / 250)}.${index % 250}`
    probes.onLogin(loginAt({ host, port: 1 }).login, undefined)
  }
  expect([asked.length, probes.outcomes.get('dropped')]).toEqual([probesAtOnce, 1])
})
