// What a responder does with those who do not speak its protocol: an answer or a closed socket.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { lineBytesMax, stalledAfterMs, unsentBytesMax } from '../../src/common/limits.ts'
import { listen, type Toy } from './toy-protocol.ts'

let server: Awaited<ReturnType<typeof listen>>
beforeEach(async () => {
  server = await listen()
})
afterEach(() => server.close())

/** A socket that sends what it likes, and the lines that come back, parsed. */
async function raw(): Promise<{
  socket: Socket
  toy: Toy
  next: () => Promise<any>
  rest: () => Promise<any[]>
}> {
  const socket = connect(server.address)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]()
  const next = async (): Promise<any> => {
    const { value, done } = await lines.next()
    return done === true ? 'closed' : JSON.parse(value)
  }
  const rest = async (): Promise<any[]> => {
    const answers: any[] = []
    for (let answer = await next(); answer !== 'closed'; answer = await next()) answers.push(answer)
    return answers
  }
  return { socket, toy: await server.next(), next, rest }
}

function request(id: number, method: string, params: unknown = {}): string {
  return `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`
}

/** The same, after hello and login. */
async function loggedIn(): ReturnType<typeof raw> {
  const connection = await raw()
  connection.socket.write(request(0, 'hello') + request(1, 'login'))
  expect(await connection.next()).toMatchObject({ id: 0, result: {} })
  expect(await connection.next()).toMatchObject({ id: 1, result: {} })
  return connection
}

test('a line that is not JSON is answered and ends the connection: nothing behind it is served', async () => {
  for (const before of ['', request(0, 'hello')]) {
    const { socket, toy, rest } = await raw()
    // As a page that is made to post to this port would send it.
    socket.write(`${before}POST / HTTP/1.1\r\n\r\n${request(1, 'hello')}${request(2, 'login')}`)
    expect((await rest()).at(-1)).toEqual({
      jsonrpc: '2.0',
      id: null,
      error: { code: -32700, message: 'this line is not JSON' },
    })
    expect(toy.asker.stage).toBe(before === '' ? 'connected' : 'greeted')
    expect(await toy.closed).toMatchObject({ code: 'protocol' })
  }
})

test('empty lines do no harm', async () => {
  const { socket, next } = await loggedIn()
  socket.write(`\n\r\n${request(5, 'echo', { text: 'x' })}`)
  expect(await next()).toMatchObject({ id: 5, result: { text: 'x' } })
})

test.each(['nope', '__proto__', 'constructor', 'toString', 'hasOwnProperty', ''])(
  'the method %j does not exist',
  async (method) => {
    const { socket, next } = await loggedIn()
    socket.write(request(5, method))
    expect(await next()).toMatchObject({ id: 5, error: { code: -32601 } })
    socket.write(request(6, 'ping'))
    expect(await next()).toMatchObject({ id: 6, result: {} })
  },
)

test.each([
  ['a number', '5'],
  ['a batch', '[]'],
  ['null', 'null'],
  ['no version', '{"id":1,"method":"ping","params":{}}'],
  ['an answer nobody asked for', '{"jsonrpc":"2.0","id":1,"result":{}}'],
])('%s is no request, and is told so', async (_what, line) => {
  const { socket, next } = await loggedIn()
  socket.write(`${line}\n${request(6, 'ping')}`)
  expect(await next()).toMatchObject({ id: null, error: { code: -32600 } })
  expect(await next()).toMatchObject({ id: 6, result: {} })
})

test('params of the wrong shape are refused with the field that is wrong', async () => {
  const { socket, next } = await loggedIn()
  socket.write(request(5, 'echo', { text: 5 }) + request(6, 'echo', null))
  expect(await next()).toMatchObject({
    id: 5,
    error: { code: -32602, message: expect.stringContaining('invalid params for echo: "text"') },
  })
  expect(await next()).toMatchObject({ id: 6, error: { code: -32602 } })
})

test('whoever does not say hello first is told so, and the connection ends', async () => {
  for (const line of [request(1, 'ping'), request(1, 'echo', { text: 'x' })]) {
    const { socket, rest } = await raw()
    socket.write(line)
    expect(await rest()).toMatchObject([
      { id: 1, error: { code: 1, message: 'the first request must be hello' } },
    ])
  }
  const { socket, toy, rest } = await raw()
  socket.write('{"jsonrpc":"2.0","method":"note","params":{"text":"x"}}\n')
  expect(await rest()).toEqual([])
  expect(toy.notes).toEqual([])
})

test('before login nothing is served that needs one', async () => {
  const { socket, next } = await raw()
  socket.write(request(0, 'hello') + request(1, 'echo', { text: 'x' }) + request(2, 'ping'))
  expect(await next()).toMatchObject({ id: 0, result: {} })
  expect(await next()).toMatchObject({ id: 1, error: { code: 3, message: 'log in first' } })
  expect(await next()).toMatchObject({ id: 2, result: {} })
})

test('a line that is too long ends the connection; after login longer ones are read', async () => {
  const text = 'x'.repeat(5000)
  const short = await loggedIn()
  short.socket.write(request(5, 'echo', { text }))
  expect(await short.toy.closed).toMatchObject({ code: 'protocol' })
  expect(await short.next()).toBe('closed')

  const long = await loggedIn()
  long.toy.responder.channel.lineBytesMax = lineBytesMax
  long.socket.write(request(5, 'echo', { text }))
  expect(await long.next()).toMatchObject({ id: 5, result: { text } })
})

test.each(['5', '0', '-1', '"x"', '1e99'])(
  'a request that announces %s bytes ends the connection',
  async (bytes) => {
    const { socket, toy, next } = await loggedIn()
    socket.write(`{"jsonrpc":"2.0","id":5,"method":"ping","params":{},"bytes":${bytes}}\n`)
    expect(await toy.closed).toMatchObject({ code: 'protocol' })
    expect(await next()).toBe('closed')
  },
)

test('binary junk and a line of 4 MiB end the connection', async () => {
  for (const junk of [
    Buffer.alloc(4 * 1024 * 1024, 'x'),
    Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 7) % 251)),
  ]) {
    const { socket, toy } = await raw()
    socket.write(junk)
    expect(await toy.closed).toMatchObject({ code: 'protocol' })
  }
})

test('for a reader that is behind nothing more is answered, however much it asks; then all of it is', async () => {
  const { socket, toy, next } = await loggedIn()
  toy.responder.channel.lineBytesMax = lineBytesMax
  socket.pause()
  const texts = Array.from({ length: 300 }, (_, index) => `${index} ${'x'.repeat(60_000)}`)
  socket.write(texts.map((text, index) => request(index + 2, 'echo', { text })).join(''))
  while (!toy.responder.channel.isPausedFor('output')) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(toy.responder.channel.unsentBytes).toBeLessThan(unsentBytesMax + 2 * lineBytesMax)
  socket.resume()
  for (const text of texts) expect(await next()).toMatchObject({ result: { text } })
})

/** A connection that is sent more than the system takes, and reads only when it is told to. */
async function swamped(): Promise<{ toy: Toy; read: (bytes: number) => Promise<void> }> {
  const socket = connect(server.address)
  await once(socket, 'connect')
  const toy = await server.next()
  socket.on('error', () => undefined)
  socket.write(request(0, 'hello'))
  await once(socket, 'data')
  toy.responder.channel.sendBytes(Buffer.alloc(160 * 1024 * 1024), () => undefined)
  const read = async (bytes: number): Promise<void> => {
    socket.resume()
    for (let count = 0; count < bytes;) count += ((await once(socket, 'data')) as [Buffer])[0].length
    socket.pause()
  }
  await read(1)
  return { toy, read }
}

test('whoever reads nothing for long is cut, and whoever reads a little never is', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const [greedy, slow] = [await swamped(), await swamped()]
  for (let round = 0; round < 5; round++) {
    // More than the system holds for it, so that some of it left the other end since.
    await slow.read(24 * 1024 * 1024)
    vi.advanceTimersByTime(stalledAfterMs)
  }
  expect(slow.toy.responder.channel.isClosed).toBe(false)
  expect(await greedy.toy.closed).toMatchObject({ message: 'the other end has stopped reading' })
})

test('bytes whose sender waits for them do not count against a slow reader', async () => {
  const { socket, toy } = await loggedIn()
  socket.pause()
  for (let count = 0; count < 16; count++)
    toy.responder.channel.sendBytes(Buffer.alloc(1024 * 1024), () => undefined)
  toy.responder.tell('news', { text: 'x' })
  expect(toy.responder.channel.isClosed).toBe(false)
})
