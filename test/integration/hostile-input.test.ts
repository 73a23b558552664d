// Junk at the port where a running client serves its peers: an error or a closed socket, and the
// program goes on as if nothing had been.

import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TestClient } from '../tracker/support/test-client.ts'
import type { Program } from './programs.ts'
import { RawPeer } from './raw-peer.ts'
import { contentOf, isSame, MiB, pieceBytes, World } from './world.ts'

let world: World
let ann: Program
let ben: Program
let port: number

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben] = (await world.users('ann', 'ben')) as [Program, Program]
  await world.group('g', ann, ben)
  await ann.does(`upload_file ${world.makeFile('file.bin', 2 * MiB)} g`)
  await expectUnharmed()
  const details = await ben.askUntil('show_downloads --details', /ann@127\.0\.0\.1:\d+/)
  port = Number(/ann@127\.0\.0\.1:(\d+)/.exec(details)?.[1])
})
afterAll(() => world.close())

/** A member that speaks for itself, and what it needs to be served. */
async function member(user: string): Promise<{ client: TestClient; ticket: string; fileId: string }> {
  const client = await TestClient.loggedIn({ host: '127.0.0.1', port: world.trackerPort }, user)
  await client.change('join_group', { group: 'g' })
  await ann.does(`accept_request g ${user}`)
  const answer = await client.request('find_file', { group: 'g', name: 'file.bin' })
  if (!answer.ok) throw new Error(answer.refusal.sentence)
  return { client, ...answer.value }
}

/** Sends this and no more; resolves to the lines that came until the connection had ended. */
function throwAt(bytes: string | Buffer, ending: 'end' | 'destroy' = 'end'): Promise<string[]> {
  return new Promise((resolve) => {
    let heard = ''
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    // Whoever is hung up on while still sending is told so by the system.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(heard.split('\n').filter((line) => line !== '')))
    socket.on('connect', () => {
      if (ending === 'end') socket.end(bytes)
      else socket.write(bytes, () => socket.destroy())
    })
  })
}

let copies = 0
/** The program is there, answers its user, and serves an honest peer. */
async function expectUnharmed(): Promise<void> {
  expect(ann.ending).toBeUndefined()
  expect(await ann.say('whoami')).toBe('ann')
  const name = `copy-${copies++}.bin`
  const mark = ben.mark()
  await ben.does(`download_file g file.bin ${name}`)
  await ben.until('[C] [g] file.bin', mark)
  expect(isSame(world.path('file.bin'), world.path(name))).toBe(true)
  expect(ann.stderr).toBe('')
}

const request = (method: string, params: unknown, extra = {}): string =>
  `${JSON.stringify({ jsonrpc: '2.0', id: 0, method, params, ...extra })}\n`
const hello = { protocol: 1, program: 'x', nonce: 'A'.repeat(22), ticket: 'x' }

describe('junk before a greeting', () => {
  const seed = 'seed 20'
  test.each<[string, string | Buffer]>([
    ['empty lines', '\n\r\n\n\n'],
    [`binary junk (${seed})`, contentOf(seed, 64 * 1024)],
    ['zeros', Buffer.alloc(10_000)],
    ['a line of 4 MiB', `${'a'.repeat(4 * MiB)}\n`],
    ['4 MiB without an end', Buffer.alloc(4 * MiB, 'a')],
    ['valid JSON of 4 MiB', request('hello', { ...hello, ticket: 'a'.repeat(4 * MiB) })],
    ['JSON that is no message', 'null\n42\n"x"\n[]\n{}\ntrue\n[{"jsonrpc":"2.0"}]\n'],
    ['nesting without end', `${'['.repeat(3000)}\n`],
    [
      'nested params',
      `{"jsonrpc":"2.0","id":0,"method":"hello","params":${'{"a":'.repeat(500)}1${'}'.repeat(500)}}\n`,
    ],
    [
      'methods that every object has',
      ['__proto__', 'constructor', 'toString'].map((m) => request(m, {})).join(''),
    ],
    ['notifications of such names', '{"jsonrpc":"2.0","method":"__proto__","params":{}}\n'],
    [
      'params that set a prototype',
      '{"jsonrpc":"2.0","id":0,"method":"hello","params":{"__proto__":{"ticket":"x"}}}\n',
    ],
    [
      'params of wrong types',
      [null, [], 'x', 7, { ...hello, ticket: {} }].map((p) => request('hello', p)).join(''),
    ],
    ['ids that are none', [-1, 1e308, 'x', [], {}].map((id) => request('hello', hello, { id })).join('')],
    ['bytes that nobody asked for', request('hello', hello, { bytes: 1_000_000_000 })],
    ['a negative number of bytes', request('hello', hello, { bytes: -1 })],
    ['answers to no question', '{"jsonrpc":"2.0","id":0,"result":{}}\n{"jsonrpc":"2.0","id":1,"error":{}}\n'],
    ['another protocol', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['the start of a TLS handshake', Buffer.from('16030100a5010000a10303', 'hex')],
    ['bytes that are no UTF-8', Buffer.from('7b226a736f6e727063223a22fffefd227d0a', 'hex')],
    ['a hundred greetings at once', request('hello', hello).repeat(100)],
  ])('%s', async (_what, bytes) => {
    for (const line of await throwAt(bytes)) {
      expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0', error: { message: expect.any(String) } })
    }
    expect(await ann.say('whoami')).toBe('ann')
  })

  test('half a message and then nothing, and a connection without a word', async () => {
    await throwAt('{"jsonrpc":"2.0","id":0,"meth', 'destroy')
    await throwAt('', 'destroy')
    await throwAt('{"jsonrpc":"2.0","id":0,"meth')
    await expectUnharmed()
  })

  test('all of it at once leaves the client as it was', async () => {
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        throwAt(contentOf(`seed ${index}`, 4096), index % 2 === 0 ? 'end' : 'destroy'),
      ),
    )
    await expectUnharmed()
  })
})

describe('a member that misbehaves', () => {
  test('is refused what makes no sense, and served what does', async () => {
    const { client, ticket, fileId } = await member('odd')
    const peer = await RawPeer.connect(port, client.identity)
    expect(await peer.fetch(ticket, fileId)).toBe(pieceBytes)
    const ask = (method: string, params: unknown): Promise<unknown> =>
      peer.caller.request(method as 'open', params as { fileId: string })
    for (const [method, params] of [
      ['piece', { fileId, index: -1 }],
      ['piece', { fileId, index: 0.5 }],
      ['piece', { fileId, index: 4 }],
      ['piece', { fileId, index: 262_143 }],
      ['piece', { fileId, index: '0' }],
      ['piece', { fileId: '../../../../etc/passwd', index: 0 }],
      ['piece', { fileId: fileId.toUpperCase(), index: 0 }],
      ['piece', { fileId, index: 0, path: '/etc/passwd' }],
      ['open', { fileId: '__proto__' }],
      ['manifest', {}],
      ['renew', { ticket: 'x' }],
      ['hello', hello],
      ['__proto__', {}],
    ] as const) {
      expect(await ask(method, params)).toMatchObject({ ok: false })
    }
    peer.caller.tell('cancel', { request: 123_456 })
    expect(await peer.piece(fileId, 1)).toMatchObject({ ok: true })
    await expectUnharmed()
  })

  test('that asks for everything and reads nothing takes nothing from the others', async () => {
    const { client, ticket, fileId } = await member('greedy')
    const peer = await RawPeer.connect(port, client.identity)
    expect(await peer.fetch(ticket, fileId)).toBe(pieceBytes)
    peer.caller.channel.pause('limit')
    for (let count = 0; count < 500; count++) {
      peer.piece(fileId, count % 4).catch(() => undefined)
    }
    await expectUnharmed()
  })
})
