// The bounds of the server for guests, which anybody can reach.

import { connect } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Failure } from '../../../src/common/failure.ts'
import { accept } from '../../../src/common/refusal.ts'
import { GuestPlaces } from '../../../src/web/guests/guest-places.ts'
import { guestLimits } from '../../../src/web/guests/limits.ts'
import { fetchAs } from './guest.ts'
import { oneGuestServer, rawGuest, secret } from './one-guest-server.ts'
import { Socket } from 'node:net'

/** Far longer than anything here takes, also on a machine that is busy with other tests. */
const patienceMs = 30_000

const file = `${secret}/a%20file.txt`

/** Never ends, and says when it is given up. */
function endless(onCancel: () => void = () => undefined): ReadableStream<Uint8Array> {
  return new ReadableStream(
    { pull: () => new Promise(() => undefined), cancel: onCancel },
    { highWaterMark: 0 },
  )
}

test('a network has so many connections, and one more is closed', async () => {
  const one = await oneGuestServer()
  const guests = Array.from({ length: guestLimits.connectionsOfNetwork }, () => rawGuest(one))
  await Promise.all(guests.map(({ secured }) => secured))
  await rawGuest(one).closed
  guests[0]?.socket.destroy()
  await vi.waitFor(
    async () => expect((await fetchAs({ url: `${one.url}/${secret}` })).status).toBe(200),
    patienceMs,
  )
})

test('when all places are taken, the oldest connection that is sent nothing makes room', () => {
  const places = new GuestPlaces()
  const sockets = Array.from({ length: guestLimits.connections }, () => new Socket())
  for (const [at, socket] of sockets.entries()) expect(places.admit(socket, `network ${at}`)).toBe(true)
  const [first, second] = sockets
  if (first === undefined || second === undefined) throw new Error('there are none')
  expect(places.beginTransfer(first, 'network 0')).toBeDefined()
  expect(places.admit(new Socket(), 'another')).toBe(true)
  expect([first.destroyed, second.destroyed]).toEqual([false, true])
})

test('connections that say nothing, from however many networks, keep no guest out', async () => {
  const one = await oneGuestServer()
  const networks = guestLimits.connections / guestLimits.connectionsOfNetwork + 2
  for (let network = 2; network < networks + 2; network++)
    for (let at = 0; at < guestLimits.connectionsOfNetwork; at++) {
      const socket = connect({ port: one.server.port, host: '127.0.0.1', localAddress: `127.0.0.${network}` })
      socket.on('error', () => undefined)
      onTestFinished(() => void socket.destroy())
    }
  await vi.waitFor(() => expect(one.server.connections).toBe(guestLimits.connections), patienceMs)
  expect((await fetchAs({ url: `${one.url}/${secret}` })).status).toBe(200)
})

test('where all are sent something, there is no room', () => {
  const places = new GuestPlaces()
  const sockets = Array.from({ length: guestLimits.transfers }, () => new Socket())
  for (const [at, socket] of sockets.entries()) {
    places.admit(socket, `network ${at}`)
    expect(places.beginTransfer(socket, `network ${at}`)).toBeDefined()
  }
  const late = new Socket()
  places.admit(late, 'late')
  expect(places.beginTransfer(late, 'late')).toBeUndefined()
})

test('a network has so many transfers; one more is asked to come again, and one that ends makes room', async () => {
  const one = await oneGuestServer({ send: async () => accept(endless()) })
  const running = Array.from({ length: guestLimits.transfersOfNetwork }, () => rawGuest(one))
  for (const { socket } of running) socket.write(`GET /${file} HTTP/1.1\r\nHost: h\r\n\r\n`)
  await vi.waitFor(() => expect(one.sent).toHaveLength(guestLimits.transfersOfNetwork), patienceMs)
  const more = await fetchAs({ url: `${one.url}/${file}` })
  expect([more.status, more.headers['retry-after']]).toEqual([503, '30'])
  expect((await fetchAs({ url: `${one.url}/${secret}` })).status).toBe(200)
  running[0]?.socket.destroy()
  await vi.waitFor(() => expect(one.server.connections).toBe(guestLimits.transfersOfNetwork - 1), patienceMs)
  rawGuest(one).socket.write(`GET /${file} HTTP/1.1\r\nHost: h\r\n\r\n`)
  await vi.waitFor(() => expect(one.sent).toHaveLength(guestLimits.transfersOfNetwork + 1), patienceMs)
})

test('who leaves ends what is read for them', async () => {
  let isOver = false
  const one = await oneGuestServer({ send: async () => accept(endless(() => (isOver = true))) })
  const guest = rawGuest(one)
  guest.socket.write(`GET /${file} HTTP/1.1\r\nHost: h\r\n\r\n`)
  await vi.waitFor(() => expect(guest.read()).toContain('200 OK'), patienceMs)
  guest.socket.destroy()
  await vi.waitFor(() => expect(isOver).toBe(true), patienceMs)
})

test('what ends in the middle ends the connection, also of a guest who reads nothing', async () => {
  let fail: (error: Error) => void = () => undefined
  const stream = new ReadableStream<Uint8Array>({
    start: (each) => void (fail = (error) => each.error(error)),
    pull: (each) => each.enqueue(Buffer.alloc(64 * 1024)),
  })
  const one = await oneGuestServer({ bytes: Buffer.alloc(1e8), send: async () => accept(stream) })
  const guest = rawGuest(one)
  await guest.secured
  guest.socket.pause()
  guest.socket.write(`GET /${file} HTTP/1.1\r\nHost: h\r\n\r\n`)
  await vi.waitFor(() => expect(one.sent).toHaveLength(1), patienceMs)
  fail(new Failure('file', 'it ends'))
  await vi.waitFor(() => expect(one.server.connections).toBe(0), patienceMs)
  expect(one.failures).toEqual([])
})

test('who sends the headers of a request slowly, or none, is closed', async () => {
  const one = await oneGuestServer({}, { headersWithinMs: 200 })
  const [slow, silent] = [rawGuest(one), rawGuest(one)]
  await slow.secured
  slow.socket.write('GET / HTTP/1.1\r\nHost: h\r\nX: ')
  const drip = setInterval(() => slow.socket.write('a'), 20)
  onTestFinished(() => clearInterval(drip))
  await Promise.all([slow.closed, silent.closed])
  expect([slow.socket.destroyed, silent.socket.destroyed]).toEqual([true, true])
})

test('who speaks no TLS is closed and told nothing', async () => {
  const one = await oneGuestServer()
  const socket = connect(one.server.port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1'))).on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  socket.write(`GET /${secret} HTTP/1.1\r\nHost: h\r\n\r\n`)
  await closed
  expect(text).not.toMatch(/HTTP|here/)
  await vi.waitFor(() => expect(one.server.connections).toBe(0), patienceMs)
})

test('requests of one network come at a pace, and those of another do not wait for them', async () => {
  const places = new GuestPlaces()
  places.admit(new Socket(), 'busy')
  places.admit(new Socket(), 'other')
  let at = 0
  while (at < 100 && places.takeTurn('busy') === undefined) at++
  expect(at).toBeLessThan(guestLimits.requestsOfNetworkPerSecond)
  expect(places.takeTurn('other')).toBeUndefined()
})

test('a failure of this program in an answer is a bug, and nothing is said of it', async () => {
  const one = await oneGuestServer({ entry: { open: () => Promise.reject(new Error('a bug')) } })
  await expect(fetchAs({ url: `${one.url}/${file}` })).rejects.toThrow(/hang up|ECONNRESET/)
  expect(one.failures).toEqual([new Error('a bug')])
})
