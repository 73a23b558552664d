// Notifications wait for their turn, as requests do, and what is read counts.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { lineBytesMax } from '../../src/common/limits.ts'
import { accept } from '../../src/common/refusal.ts'
import { Channel } from '../../src/common/wire/channel.ts'
import type { Stage } from '../../src/common/wire/methods.ts'
import { Responder } from '../../src/common/wire/responder.ts'
import type { Turn } from '../../src/common/wire/turns.ts'
import { toyProtocol } from './toy-protocol.ts'

interface Held {
  readonly socket: Socket
  readonly channel: Channel
  /** What was begun, in order. */
  readonly begun: string[]
  /** The turns that were asked for. */
  readonly asked: Turn[]
  /** Lets the turn begin that was asked for last. */
  readonly go: () => void
}

/** A connection that has come as far as it can, and whose turns come when the test says so. */
async function held(
  sync: () => Promise<void> | undefined = () => undefined,
  stage: () => Stage = () => 'proven',
): Promise<Held> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [accepted] = (await once(server, 'connection')) as [Socket]
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })
  const channel = new Channel(accepted, lineBytesMax)
  const [begun, asked]: [string[], Turn[]] = [[], []]
  const done = (what: string): ReturnType<typeof accept<object>> => {
    begun.push(what)
    return accept({})
  }
  // eslint-disable-next-line no-new -- It lives by its channel.
  new Responder(channel, {
    protocol: toyProtocol,
    from: undefined,
    handlers: {
      hello: () => done('hello'),
      ping: () => done('ping'),
      login: () => done('login'),
      echo: ({ text }) => (begun.push('echo'), accept({ text })),
      later: () => done('later'),
      slow: () => done('slow'),
      read: () => done('read'),
      throws: () => done('throws'),
    },
    onTold: { note: ({ text }) => begun.push(`note ${text.slice(0, 9)}`) },
    costOfTold: { note: ({ text }) => 1000 * text.length },
    stage,
    sync,
    turns: { ask: (turn) => asked.push(turn), onChanged: () => undefined, charge: () => undefined },
    owner: (method) => `owner of ${method ?? 'none'}`,
    onClosed: () => undefined,
    onFailure: (error) => {
      throw error
    },
  })
  return { socket, channel, begun, asked, go: () => asked.at(-1)?.go() }
}

function line(method: string, params: unknown, id?: number): string {
  return `${JSON.stringify({ jsonrpc: '2.0', method, params, id })}\n`
}

test('a notification begins between the requests that came before it and after it', async () => {
  const { socket, asked, begun, go } = await held()
  socket.write(line('ping', {}, 0) + line('note', { text: 'a' }) + line('ping', {}, 1))
  await vi.waitUntil(() => asked.length === 1)
  expect(begun).toEqual([])
  for (let count = 0; count < 3; count++) go()
  expect(begun).toEqual(['ping', 'note a', 'ping'])
  expect(asked.map(({ owner }) => owner)).toEqual(['owner of ping', 'owner of none', 'owner of ping'])
})

test('what a notification takes counts, one that nobody knows is read all the same', async () => {
  const { socket, asked, go } = await held()
  socket.write(line('note', { text: 'abc' }) + line('unknown', { text: 'abc' }) + line('note', { wrong: 1 }))
  await vi.waitUntil(() => asked.length === 1)
  go()
  go()
  const [known, unknown, wrong] = asked.map(({ cost }) => cost)
  expect(known).toBeGreaterThan(3000)
  for (const cost of [unknown, wrong]) {
    expect(cost).toBeGreaterThan(1)
    expect(cost).toBeLessThan(100)
  }
})

test('a long line costs more than a short one, and soon no more are read', async () => {
  const { socket, channel, asked, begun, go } = await held()
  const long = line('unknown', { text: 'x'.repeat(60_000) })
  socket.write(long + long + line('ping', {}, 0))
  await vi.waitUntil(() => channel.isPausedFor('requests'))
  expect(asked[0]?.cost).toBeGreaterThan(1000)
  // A turn to read each of the long lines, and one for what it says.
  for (let count = 2; count <= 5; count++) {
    go()
    await vi.waitUntil(() => asked.length === count)
  }
  expect(channel.isPausedFor('requests')).toBe(false)
  go()
  expect(begun).toEqual(['ping'])
})

// Forty connections with lines of 21,000 arrays were parsed as they came, and a ping waited 300 ms.
test('a long line is parsed in its turn, and what it asks for comes before what came after it', async () => {
  const { socket, asked, begun, go } = await held()
  const parse = vi.spyOn(JSON, 'parse')
  onTestFinished(() => parse.mockRestore())
  socket.write(line('echo', { text: 'x'.repeat(1000) }, 0) + line('ping', {}, 1))
  await vi.waitUntil(() => asked.length === 1)
  expect(parse.mock.calls.filter(([text]) => text.includes('xxx'))).toEqual([])
  for (let count = 0; count < 3; count++) go()
  expect(parse.mock.calls.filter(([text]) => text.includes('xxx')).length).toBe(1)
  expect(begun).toEqual(['echo', 'ping'])
})

test('a long line that is not JSON, or that says that bytes follow, ends the connection in its turn', async () => {
  for (const text of ['x'.repeat(1000), JSON.stringify({ bytes: 3, text: 'x'.repeat(1000) })]) {
    const { socket, channel, asked, begun, go } = await held()
    socket.write(`${line('ping', {}, 0)}${text}\n${line('ping', {}, 1)}`)
    await vi.waitUntil(() => asked.length === 1)
    go()
    expect(channel.isClosed).toBe(false)
    go()
    expect(channel.isClosed).toBe(true)
    expect(begun).toEqual(['ping'])
  }
})

// With a log that has to be asked, all reads that waited for one answer began in one go, however many.
test('reads that waited for the log together take turns, and those that came later ask it again', async () => {
  const waiting: (() => void)[] = []
  const { socket, asked, begun, go } = await held(() => new Promise((resolve) => waiting.push(resolve)))
  socket.write(line('read', {}, 0) + line('read', {}, 1))
  await vi.waitUntil(() => waiting.length === 1)
  socket.write(line('read', {}, 2) + line('note', { text: 'a' }))
  expect(asked).toEqual([])
  waiting[0]?.()
  await vi.waitUntil(() => asked.length === 1)
  go()
  expect([begun, asked.length]).toEqual([['read'], 2])
  go()
  await vi.waitUntil(() => waiting.length === 2)
  expect([begun, asked.length]).toEqual([['read', 'read'], 2])
  waiting[1]?.()
  await vi.waitUntil(() => asked.length === 3)
  go()
  go()
  expect(begun).toEqual(['read', 'read', 'read', 'note a'])
})

test('what does not begin with a hello is over, even when a hello comes while it waits', async () => {
  const { socket, channel, asked, begun, go } = await held(undefined, () => 'connected')
  socket.write(line('ping', {}, 0) + line('hello', {}, 1))
  await vi.waitUntil(() => asked.length === 1)
  go()
  expect([channel.isClosed, begun]).toEqual([true, []])
})

test('the turn of a connection that has closed is known to be nobody’s', async () => {
  const { socket, channel, asked } = await held()
  socket.write(line('ping', {}, 0))
  await vi.waitUntil(() => asked.length === 1)
  expect(asked[0]?.isGone()).toBe(false)
  socket.destroy()
  await vi.waitUntil(() => channel.isClosed)
  expect(asked[0]?.isGone()).toBe(true)
})
