// What a responder does with those who do not speak its protocol: an answer or a closed socket.

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { malformedLinesMax, unsentBytesMax } from '../../src/common/limits.ts'
import { allowLongLines } from '../../src/common/wire/responder.ts'
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

test('lines that are not JSON are answered, and after too many the connection ends', async () => {
  const { socket, toy, rest } = await raw()
  socket.write('GET / HTTP/1.1\n'.repeat(malformedLinesMax + 1))
  const answers = await rest()
  expect(answers).toHaveLength(malformedLinesMax + 1)
  expect(answers[0]).toEqual({
    jsonrpc: '2.0',
    id: null,
    error: { code: -32700, message: 'this line is not JSON' },
  })
  expect(await toy.closed).toMatchObject({ code: 'protocol' })
})

test('a few lines that are not JSON, and empty ones, do no harm', async () => {
  const { socket, next } = await loggedIn()
  socket.write(`\n\r\noops\n${request(5, 'echo', { text: 'x' })}`)
  expect(await next()).toMatchObject({ error: { code: -32700 } })
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
  allowLongLines(long.toy.responder.channel)
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

test('a reader that does not read is cut off at the bound', async () => {
  const { socket, toy } = await loggedIn()
  socket.pause()
  const text = 'x'.repeat(60_000)
  // The system's own buffers take some MiB first; then nothing may wait here beyond the bound.
  for (let count = 0; count < 2000 && !toy.responder.channel.isClosed; count++) {
    toy.responder.tell('news', { text })
    expect(toy.responder.channel.unsentBytes).toBeLessThan(unsentBytesMax + 2 * text.length)
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(await toy.closed).toMatchObject({ message: 'the other end has stopped reading' })
})

test('bytes whose sender waits for them do not count against a slow reader', async () => {
  const { socket, toy } = await loggedIn()
  socket.pause()
  for (let count = 0; count < 16; count++)
    toy.responder.channel.sendBytes(Buffer.alloc(1024 * 1024), () => undefined)
  toy.responder.tell('news', { text: 'x' })
  expect(toy.responder.channel.isClosed).toBe(false)
})
