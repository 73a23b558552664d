// Who is cut by a listener, on real sockets.

import { connect } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { peerConnectionLimits } from '../../src/common/limits.ts'
import { makeIdentity } from '../../src/common/security/identity.ts'
import { Listener, type Connection } from '../../src/common/wire/listener.ts'
import { handshakeByte, secureContextOf } from '../../src/common/wire/tls.ts'
import { smallLimits } from './places-at.ts'

/** A listener with the bounds of a sharing client, and what it accepts. */
async function listening(): Promise<{
  /** The accepting end of a new connection, and why it closed; undefined while it is open. */
  accepted: () => Promise<{ connection: Connection; closedBecause: () => string | undefined }>
  listener: Listener
}> {
  const connections: Connection[] = []
  const reasons = new Map<Connection, string>()
  const listener = new Listener({
    limits: peerConnectionLimits,
    serve: (connection) => {
      connections.push(connection)
      connection.channel.listen({
        onFrame: () => undefined,
        onMalformed: () => undefined,
        bodyBuffer: () => Buffer.alloc(0),
        onClosed: ({ message }) => {
          reasons.set(connection, message)
          connection.onClosed()
        },
      })
    },
  })
  const address = await listener.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => listener.close('the test is over'))
  const accepted = async () => {
    const count = connections.length
    const socket = connect(address)
    socket.on('error', () => undefined).resume()
    onTestFinished(() => void socket.destroy())
    socket.write(' ')
    while (connections.length === count) await new Promise((resolve) => setImmediate(resolve))
    const connection = connections[count] as Connection
    return { connection, closedBecause: () => reasons.get(connection) }
  }
  return { accepted, listener }
}

test('whoever has not proved who it is in time is cut, whatever it claims, and whoever has is not', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { proveWithinMs } = peerConnectionLimits
  const { accepted } = await listening()
  const [silent, claiming, proven] = [await accepted(), await accepted(), await accepted()]
  claiming.connection.claim('ann')
  proven.connection.claim('bob')
  proven.connection.prove('bob')
  const reasons = (): (string | undefined)[] =>
    [silent, claiming, proven].map(({ closedBecause }) => closedBecause())
  vi.advanceTimersByTime(proveWithinMs - 1)
  expect(reasons()).toEqual([undefined, undefined, undefined])
  vi.advanceTimersByTime(1)
  expect(reasons()).toEqual(['no proof in time', 'no proof in time', undefined])
  vi.advanceTimersByTime(10 * proveWithinMs)
  expect(reasons()[2]).toBeUndefined()
})

test('a newcomer does not take the place of one that waits for its handshake', async () => {
  const heard: Connection[] = []
  const turnedAway: string[] = []
  const listener = new Listener({
    limits: { ...smallLimits, unprovenOfLoopback: 3, crowdedGraceMs: 60_000 },
    tls: secureContextOf(makeIdentity().forTls),
    serve: (connection) => heard.push(connection),
    onTurnedAway: (_host, sentence) => turnedAway.push(sentence),
  })
  const address = await listener.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => listener.close('the test is over'))
  const come = (firstByte: number): (() => boolean) => {
    const socket = connect(address)
    let isClosed = false
    socket.on('error', () => undefined).on('close', () => (isClosed = true))
    socket.resume().write(Buffer.from([firstByte]))
    onTestFinished(() => void socket.destroy())
    return () => isClosed
  }
  const until = async (isSo: () => boolean): Promise<void> => {
    // A turn of the event loop, which the handshakes, whose turns are held up here, do not get.
    while (!isSo()) await new Promise((resolve) => realImmediate(resolve))
  }
  const realImmediate = setImmediate
  vi.useFakeTimers({ toFake: ['setImmediate'] })
  onTestFinished(() => void vi.useRealTimers())
  const before = [come(handshakeByte), come(handshakeByte)]
  await until(() => listener.connections === 2)
  // What it says is heard after what they have said.
  before.push(come(0x20))
  await until(() => heard.length === 1)
  come(handshakeByte)
  await until(() => turnedAway.length > 0 || before.some((isClosed) => isClosed()))
  expect(turnedAway).toEqual(['too many connections from this address that have not logged in'])
  expect(before.map((isClosed) => isClosed())).toEqual([false, false, false])
})

test('connections to an address of this machine that is gone are closed, those to another are not', async () => {
  const { accepted, listener } = await listening()
  const { closedBecause } = await accepted()
  listener.closeThoseAt(new Set(['10.0.0.9', 'fd00::5']), 'no longer there')
  expect(closedBecause()).toBeUndefined()
  listener.closeThoseAt(new Set(['127.0.0.1']), 'no longer there')
  expect(closedBecause()).toBe('no longer there')
})
