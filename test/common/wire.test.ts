// Both ends of a protocol on real sockets of loopback.

import { once } from 'node:events'
import { createServer, Socket, type AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Failure } from '../../src/common/failure.ts'
import { deadAfterMs, firstLineTimeoutMs, pingAfterMs } from '../../src/common/limits.ts'
import { openChannel } from '../../src/common/wire/open-channel.ts'
import { call, listen, type Toy, type Toys } from './toy-protocol.ts'

let server: Awaited<ReturnType<typeof listen>>
beforeEach(async () => {
  server = await listen()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  server.close()
})

/** Both ends of a connection that has said hello and logged in. */
async function connected(): Promise<{ toys: Toys; toy: Toy }> {
  const toys = await call(server.address)
  const toy = await server.next()
  await toys.caller.request('hello', {})
  await toys.caller.request('login', {})
  return { toys, toy }
}

/** All that has been sent to the responder so far has been seen by it, and its answers here. */
async function settled({ caller }: Toys): Promise<void> {
  await caller.request('ping', {})
}

function fakeTimers(): void {
  // Sockets and setImmediate stay real: only what the sources do with time is in the test's hand.
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  })
}

test('a request gets its answer, or its refusal', async () => {
  const { toys } = await connected()
  expect(await toys.caller.request('echo', { text: 'Grüße\n' })).toEqual({
    ok: true,
    value: { text: 'Grüße\n' },
  })
  expect(await toys.caller.request('echo', { text: 'no' })).toEqual({
    ok: false,
    refusal: { code: 'busy', sentence: 'not today' },
  })
})

test('many requests at once each get their own answer, and go out in one write', async () => {
  const { toys } = await connected()
  const write = vi.spyOn(Socket.prototype, 'write')
  const texts = Array.from({ length: 50 }, (_, index) => `text ${index}`)
  const answers = await Promise.all(texts.map((text) => toys.caller.request('echo', { text })))
  expect(answers).toEqual(texts.map((text) => ({ ok: true, value: { text } })))
  // One by each end.
  expect(new Set(write.mock.contexts).size).toBe(2)
  expect(write).toHaveBeenCalledTimes(2)
})

test('both ends can tell the other something', async () => {
  const { toys, toy } = await connected()
  toys.caller.tell('note', { text: 'to the responder' })
  toy.responder.tell('news', { text: 'to the caller' })
  await settled(toys)
  expect(toy.notes).toEqual(['to the responder'])
  expect(toys.news).toEqual(['to the caller'])
})

test('a notification of a newer program is passed over, and one of the wrong shape to a responder too', async () => {
  const { toys, toy } = await connected()
  toy.responder.channel.send({ jsonrpc: '2.0', method: 'brand_new', params: {} })
  toys.caller.channel.send({ jsonrpc: '2.0', method: 'toString', params: {} })
  toys.caller.channel.send({ jsonrpc: '2.0', method: 'note', params: { text: 5 } })
  await settled(toys)
  expect(toy.notes).toEqual([])
})

test('bytes behind a result go straight into the buffer that was given for them', async () => {
  const { toys, toy } = await connected()
  const straight = vi.spyOn(toys.caller.channel, 'bodyReceived')
  const sizes = [1, 512 * 1024, 7, 1024 * 1024, 100_000]
  const given = sizes.map((size) => Buffer.alloc(size))
  const answers = sizes.map((_, index) =>
    toys.caller.request('later', {}, { bodyBuffer: () => given[index] ?? Buffer.alloc(0) }),
  )
  await settled(toys)
  for (const [index, size] of sizes.entries()) {
    toy.responder.beginBulk(toy.later[index] ?? 0, {}, size)
    toy.responder.channel.sendBytes(Buffer.alloc(size, index + 1), () => undefined)
  }
  expect(await Promise.all(answers)).toEqual(sizes.map(() => ({ ok: true, value: {} })))
  for (const [index, size] of sizes.entries()) {
    expect(given[index]?.equals(Buffer.alloc(size, index + 1))).toBe(true)
  }
  expect(straight.mock.calls.length).toBeGreaterThan(2)
})

test('whoever sends bytes is told when they have been taken, also when the connection is gone', async () => {
  const { toys, toy } = await connected()
  toys.caller.close()
  await toy.closed
  await new Promise<void>((resolve) => toy.responder.channel.sendBytes(Buffer.alloc(10), resolve))
  expect(toy.responder.channel.isClosed).toBe(true)
})

test('an answer with a body that comes after its timeout is read past, and the stream stays in step', async () => {
  const { toys, toy } = await connected()
  const buffer = Buffer.alloc(1000)
  await expect(
    toys.caller.request('later', {}, { timeoutMs: 1, bodyBuffer: () => buffer }),
  ).rejects.toMatchObject({ code: 'timeout', message: 'no answer to later in time' })
  await settled(toys)
  toy.responder.beginBulk(toy.later[0] ?? 0, {}, 1000)
  toy.responder.channel.sendBytes(Buffer.alloc(1000, 0x0a), () => undefined)
  expect(await toys.caller.request('echo', { text: 'still here' })).toMatchObject({ ok: true })
  expect(buffer.equals(Buffer.alloc(1000))).toBe(true)
})

/** A `later` request of 1000 bytes with a timeout of 1000 ms, of which the first half has come. */
async function halfReceived(): Promise<{
  toys: Toys
  toy: Toy
  buffer: Buffer
  answer: Promise<unknown>
  state: { settled: boolean }
}> {
  const { toys, toy } = await connected()
  fakeTimers()
  const buffer = Buffer.alloc(1000)
  const state = { settled: false }
  const answer = toys.caller
    .request('later', {}, { timeoutMs: 1000, bodyBuffer: () => buffer })
    .finally(() => (state.settled = true))
  answer.catch(() => undefined)
  await settled(toys)
  toy.responder.beginBulk(toy.later[0] ?? 0, {}, 1000)
  toy.responder.channel.sendBytes(Buffer.alloc(500, 1), () => undefined)
  await vi.waitFor(() => expect(buffer[499]).toBe(1), { interval: 1 })
  return { toys, toy, buffer, answer, state }
}

test('an answer whose body is arriving is waited for as long as bytes come', async () => {
  const { toys, toy, buffer, answer, state } = await halfReceived()
  for (const [at, value] of [
    [500, 2],
    [600, 3],
    [700, 4],
  ] as const) {
    vi.advanceTimersByTime(800)
    expect(state.settled).toBe(false)
    toy.responder.channel.sendBytes(Buffer.alloc(100, value), () => undefined)
    await vi.waitFor(() => expect(buffer[at]).toBe(value), { interval: 1 })
  }
  expect(toys.caller.channel.isClosed).toBe(false)
  toy.responder.channel.sendBytes(Buffer.alloc(200, 5), () => undefined)
  expect(await answer).toEqual({ ok: true, value: {} })
})

test('a body that stops arriving ends the connection, and not a byte more goes into its buffer', async () => {
  const { toys, toy, buffer, answer } = await halfReceived()
  vi.advanceTimersByTime(2001)
  await expect(answer).rejects.toMatchObject({ code: 'timeout' })
  expect(toys.caller.channel.isClosed).toBe(true)
  toy.responder.channel.sendBytes(Buffer.alloc(500, 9), () => undefined)
  await toy.closed
  expect(buffer.subarray(500).equals(Buffer.alloc(500))).toBe(true)
})

test('a connection that is closed while its last words wait takes no byte into a buffer any more', async () => {
  const { toys, toy, buffer, answer } = await halfReceived()
  toy.socket.pause()
  while (toys.caller.channel.unsentBytes === 0) {
    for (let count = 0; count < 10; count++) toys.caller.tell('note', { text: 'x'.repeat(10_000) })
    toys.caller.channel.flush()
  }
  toys.caller.close('enough')
  expect(toys.caller.channel.unsentBytes).toBeGreaterThan(0)
  await expect(answer).rejects.toThrow('enough')
  await new Promise<void>((resolve) => toy.responder.channel.sendBytes(Buffer.alloc(500, 9), resolve))
  // What the system has taken on loopback is there to be read in the next turns.
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(buffer.subarray(500).equals(Buffer.alloc(500))).toBe(true)
})

test('a lost connection rejects all that is asked, and then says that it is closed', async () => {
  const { toys, toy } = await connected()
  const order: string[] = []
  const questions = [1, 2, 3].map((number) =>
    toys.caller.request('later', {}).catch((error: unknown) => {
      order.push(`request ${number}`)
      return error
    }),
  )
  const closed = toys.closed.then(() => order.push('closed'))
  await settled(toys)
  toy.socket.destroy()
  for (const failure of await Promise.all(questions))
    expect(failure).toMatchObject({ code: 'connection-lost' })
  await closed
  expect(order).toEqual(['request 1', 'request 2', 'request 3', 'closed'])
  await expect(toys.caller.request('ping', {})).rejects.toMatchObject({ code: 'connection-lost' })
})

test.each([
  [
    'a result of the wrong shape',
    { jsonrpc: '2.0', result: { text: 5 } },
    'the answer to echo has the wrong shape',
  ],
  [
    'bytes that the method does not have',
    { jsonrpc: '2.0', result: { text: 'x' }, bytes: 5 },
    'at most 0 are allowed',
  ],
])('a caller does not take %s for an answer', async (_what, message, sentence) => {
  const { toys, toy } = await connected()
  vi.spyOn(toy.responder, 'answer').mockImplementation((id) => toy.responder.channel.send({ ...message, id }))
  await expect(toys.caller.request('echo', { text: 'x' })).rejects.toThrow(sentence)
})

test('a caller takes neither a body that is missing nor one that is too long', async () => {
  const { toys, toy } = await connected()
  const missing = toys.caller.request('later', {})
  await settled(toys)
  toy.responder.answer(toy.later[0] ?? 0, { ok: true, value: {} })
  await expect(missing).rejects.toMatchObject({ code: 'protocol' })
  const tooLong = toys.caller.request('later', {})
  await settled(toys)
  toy.responder.beginBulk(toy.later[1] ?? 0, {}, 1024 * 1024 + 1)
  // The line goes out with the first of its bytes.
  toy.responder.channel.sendBytes(Buffer.alloc(1), () => undefined)
  await expect(tooLong).rejects.toThrow('at most 1048576 are allowed')
  expect(toys.caller.channel.isClosed).toBe(true)
})

test('a handler that throws answers "unavailable", is reported, and the connection goes on', async () => {
  const { toys, toy } = await connected()
  for (const atOnce of [true, false]) {
    expect(await toys.caller.request('throws', { atOnce })).toMatchObject({
      refusal: { code: 'unavailable' },
    })
  }
  expect(toy.failures).toHaveLength(2)
  expect(await toys.caller.request('echo', { text: 'x' })).toMatchObject({ ok: true })
})

test('with too many requests under way nothing more is read, until one is answered', async () => {
  const { toys, toy } = await connected()
  const requests = Array.from({ length: 64 }, () => toys.caller.request('slow', {}))
  await vi.waitFor(() => expect(toy.slow).toHaveLength(64), { interval: 1 })
  expect(toy.socket.isPaused()).toBe(true)
  toy.slow[0]?.()
  await requests[0]
  expect(toy.socket.isPaused()).toBe(false)
  await settled(toys)
  for (const answer of toy.slow) answer()
  await Promise.all(requests)
})

test('a caller calls from the address it was told to', { skip: process.platform !== 'linux' }, async () => {
  await call(server.address, { localHost: '127.0.0.5' })
  expect((await server.next()).socket.remoteAddress).toBe('127.0.0.5')
})

test('an address where nobody listens is named', async () => {
  const { address } = await listen().then((other) => {
    other.close()
    return other
  })
  await expect(openChannel(address, 1000)).rejects.toMatchObject({
    code: 'connection-lost',
    message: expect.stringContaining(`cannot connect to 127.0.0.1:${address.port}`),
  })
})

test('an address that does not answer is a timeout', async () => {
  const silent = createServer()
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  fakeTimers()
  // The timer is started before the connection can be made: with the clock moved first, it is too late.
  const opening = openChannel({ host: '127.0.0.1', port: (silent.address() as AddressInfo).port }, 1000)
  vi.advanceTimersByTime(60_000)
  await expect(opening).rejects.toMatchObject({ code: 'timeout' })
  silent.close()
})

test('how long a dial took is told before the connection is open', async () => {
  const told: number[] = []
  const opening = openChannel(server.address, 1000, { onDialled: (tookMs) => told.push(tookMs) })
  const channel = await opening.finally(() => expect(told.length).toBe(1))
  expect(told[0]).toBeGreaterThan(0)
  channel.close(new Failure('connection-lost', 'the test is over'))
})

test('what gives up a connection that is being opened says why', async () => {
  const controller = new AbortController()
  const { signal } = controller
  const opening = openChannel(server.address, 1000, { signal })
  const failure = new Failure('connection-lost', 'the network has changed')
  controller.abort(failure)
  await expect(opening).rejects.toBe(failure)
  await expect(openChannel(server.address, 1000, { signal })).rejects.toBe(failure)
})

// A client that was started at the address of a Wi-Fi reached nobody over the cable.
test('an address that this machine has no more to call from is left to the system', async () => {
  const channel = await openChannel(server.address, 1000, { localHost: '192.0.2.1' })
  expect(channel.localHost).toBe('127.0.0.1')
  channel.close(new Failure('connection-lost', 'the test is over'))
})

test('a caller that only listens still sends pings, so that it is not taken for dead', async () => {
  fakeTimers()
  const { toys, toy } = await connected()
  for (let passedMs = 0; passedMs < 2 * deadAfterMs; passedMs += pingAfterMs / 2) {
    vi.advanceTimersByTime(pingAfterMs / 2)
    toy.responder.tell('news', { text: String(passedMs) })
    await vi.waitFor(() => expect(toys.news).toContain(String(passedMs)), { interval: 1 })
  }
  await settled(toys)
  expect(toy.responder.channel.isClosed).toBe(false)
})

test('a caller whose responder has gone without a word gives up', async () => {
  fakeTimers()
  const { toys, toy } = await connected()
  toy.socket.pause()
  vi.advanceTimersByTime(deadAfterMs + 2 * pingAfterMs)
  expect(await toys.closed).toMatchObject({ message: 'the other end has been silent for too long' })
})

test('a responder gives up a connection without a first line, and one that falls silent', async () => {
  fakeTimers()
  const silent = await call(server.address)
  const first = await server.next()
  vi.advanceTimersByTime(firstLineTimeoutMs + 1)
  expect(await first.closed).toMatchObject({ message: 'no first line in time' })
  await silent.closed

  const { toys, toy } = await connected()
  vi.spyOn(toys.caller.channel, 'send').mockImplementation(() => undefined)
  vi.advanceTimersByTime(deadAfterMs * 1.5)
  expect(await toy.closed).toMatchObject({ message: 'silent for too long' })
})

test('requests are taken up in their order, also when an earlier one waits for the state', async () => {
  const { toys, toy } = await connected()
  const waiting: (() => void)[] = []
  toy.syncing.wait = () => new Promise((resolve) => waiting.push(resolve))
  const order: string[] = []
  const answered = Promise.all([
    toys.caller.request('read', {}).then(() => order.push('read')),
    toys.caller.request('echo', { text: 'behind it' }).then(() => order.push('echo')),
  ])
  await vi.waitFor(() => expect(waiting).toHaveLength(1), { interval: 1 })
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(order).toEqual([])
  waiting[0]?.()
  await answered
  expect(order).toEqual(['read', 'echo'])
})

test('nothing is done for a connection that closed, and nothing served that logged out, while a read waited', async () => {
  const [gone, out] = [await connected(), await connected()]
  const waiting: (() => void)[] = []
  for (const { toy } of [gone, out]) toy.syncing.wait = () => new Promise((resolve) => waiting.push(resolve))
  const lost = gone.toys.caller.request('read', {})
  const refused = out.toys.caller.request('read', {})
  await vi.waitFor(() => expect(waiting).toHaveLength(2), { interval: 1 })
  gone.toys.caller.close()
  await expect(lost).rejects.toMatchObject({ code: 'connection-lost' })
  await gone.toy.closed
  out.toy.asker.stage = 'greeted'
  for (const go of waiting) go()
  expect(await refused).toMatchObject({ refusal: { code: 'login-first' } })
  expect([gone.toy.reads, out.toy.reads]).toEqual([[], []])
})
