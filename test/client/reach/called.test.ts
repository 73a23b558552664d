// What a client does when another one calls it: it dials where that one is, and nowhere else.

import { createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Called, type Call } from '../../../src/client/reach/called.ts'
import { nowhere } from './two-ends.ts'

const token = 'A'.repeat(22)

/** Notes the first line of whoever comes. */
async function listening(): Promise<{ port: number; lines: string[] }> {
  const lines: string[] = []
  const server = createServer((socket) => {
    socket.once('data', (bytes: Buffer) => {
      lines.push(bytes.toString())
      socket.destroy()
    })
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return { port: (server.address() as AddressInfo).port, lines }
}

function calledClient(isServing = true): { called: Called; ways: string[] } {
  const ways: string[] = []
  const called = new Called({
    listen: { host: '127.0.0.1', port: 0 },
    serveOn: (socket, way) => {
      ways.push(way)
      socket.on('error', () => socket.destroy())
      socket.resume()
      onTestFinished(() => void socket.destroy())
    },
    isServing: () => isServing,
    onFailure: (bug) => {
      throw bug
    },
  })
  onTestFinished(() => called.close())
  return { called, ways }
}

const call = (change: Partial<Call>): Call => ({
  group: 'g',
  user: 'ben',
  key: 'K'.repeat(43),
  token,
  host: '127.0.0.1',
  port: 1,
  ...change,
})

test('a relay that the trackers name is dialled, with the token for it and by no other way', async () => {
  const { port, lines } = await listening()
  const { called, ways } = calledClient()
  const relay = { host: '127.0.0.1', port, token: 'B'.repeat(22) }
  called.onCall(call({ relay, local: ['192.168.7.9'] }), undefined)
  await vi.waitUntil(() => lines.length === 1)
  expect(lines[0]).toContain(`"role":"relays","token":"${relay.token}"`)
  expect(ways).toEqual(['relayed'])
})

test('a caller that is gone costs nothing but a try', async () => {
  const { called, ways } = calledClient()
  const relay = { ...(await nowhere()), token }
  called.onCall(call({ relay }), undefined)
  const { port, lines } = await listening()
  called.onCall(call({ relay: { host: '127.0.0.1', port, token } }), undefined)
  await vi.waitUntil(() => lines.length === 1)
  expect(ways).toEqual(['relayed'])
})

test('nobody is dialled while nothing is served here, nor on this machine because another one says so', async () => {
  const { port, lines } = await listening()
  const idle = calledClient(false)
  idle.called.onCall(call({ relay: { host: '127.0.0.1', port, token } }), undefined)
  const { called, ways } = calledClient()
  called.onCall(call({ port, local: ['127.0.0.1'] }), undefined)
  const relay = { host: '127.0.0.1', port, token }
  called.onCall(call({ relay }), undefined)
  await vi.waitUntil(() => lines.length === 1)
  expect(ways).toEqual(['relayed'])
  expect(idle.ways).toEqual([])
})
