// TLS on the port of the plain protocol: which keys both ends see, and what counts as none.

import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectSecurely, type TLSSocket } from 'node:tls'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Address } from '../../src/common/addresses.ts'
import { Failure } from '../../src/common/failure.ts'
import { lineBytesMax, peerConnectionLimits } from '../../src/common/limits.ts'
import { keyOfCertificate } from '../../src/common/certificate.ts'
import { makeIdentity } from '../../src/common/security/identity.ts'
import type { Channel } from '../../src/common/wire/channel.ts'
import { Listener } from '../../src/common/wire/listener.ts'
import { openChannel, type TlsOptions } from '../../src/common/wire/open-channel.ts'
import { secureContextOf } from '../../src/common/wire/tls.ts'

const [server, client] = [makeIdentity(), makeIdentity()]

interface Arrived {
  readonly channel: Channel
  readonly lines: unknown[]
}

/** A listener with TLS, and what has come to it. */
async function listening(
  takesPlain = true,
): Promise<{ listener: Listener; address: Address; arrived: Arrived[] }> {
  const arrived: Arrived[] = []
  const listener = new Listener({
    limits: peerConnectionLimits,
    tls: secureContextOf(server.forTls),
    takesPlain: () => takesPlain,
    serve: (connection) => {
      const { channel } = connection
      const lines: unknown[] = []
      arrived.push({ channel, lines })
      channel.listen({
        onFrame: ({ message }) => lines.push(message),
        onMalformed: () => undefined,
        bodyBuffer: () => {
          throw new Failure('protocol', 'no body')
        },
        onClosed: () => connection.onClosed(),
      })
    },
  })
  const address = await listener.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => listener.close('the test is over'))
  return { listener, address, arrived }
}

const tls = (key = server.publicKey): TlsOptions => ({
  context: secureContextOf(client.forTls),
  check: (shown) => (shown === key ? undefined : new Failure('protocol', `not ${key}`)),
})

test('both ends see the key of the other, share a binding, and messages go both ways', async () => {
  const { address, arrived } = await listening(false)
  const channel = await openChannel(address, lineBytesMax, { tls: tls() })
  const heard: unknown[] = []
  channel.listen({
    onFrame: ({ message }) => heard.push(message),
    onMalformed: () => undefined,
    bodyBuffer: () => Buffer.alloc(0),
    onClosed: () => undefined,
  })
  channel.send({ from: 'client' })
  await vi.waitUntil(() => arrived[0]?.lines.length === 1)
  arrived[0]?.channel.send({ from: 'server' })
  await vi.waitUntil(() => heard.length === 1)
  expect([arrived[0]?.lines, heard]).toEqual([[{ from: 'client' }], [{ from: 'server' }]])
  expect(channel.secure?.peerKey).toBe(server.publicKey)
  expect(arrived[0]?.channel.secure).toEqual({ ...channel.secure, peerKey: client.publicKey })
  const other = await openChannel(address, lineBytesMax, { tls: tls() })
  expect(other.secure?.binding).not.toBe(channel.secure?.binding)
  for (const each of [channel, other]) each.close(new Failure('connection-lost', 'done'))
})

test('plain connections come to the same port where they are taken, and are told where they are not', async () => {
  const { address, arrived } = await listening()
  const channel = await openChannel(address, lineBytesMax)
  channel.send({ plain: true })
  await vi.waitUntil(() => arrived[0]?.lines.length === 1)
  expect([channel.secure, arrived[0]?.channel.secure]).toEqual([undefined, undefined])
  channel.close(new Failure('connection-lost', 'done'))
  const strict = await listening(false)
  const socket = connect(strict.address.port, strict.address.host)
  let said = ''
  socket.on('data', (bytes: Buffer) => (said += bytes.toString()))
  socket.write('{"jsonrpc":"2.0","id":0,"method":"hello"}\n')
  await once(socket, 'close')
  expect(said).toContain('only encrypted connections are taken here; update this program')
  expect(strict.arrived).toEqual([])
})

test('an end with another key is refused before anything is sent to it', async () => {
  const { address, arrived } = await listening()
  const opening = openChannel(address, lineBytesMax, { tls: tls(client.publicKey) })
  await expect(opening).rejects.toMatchObject({ code: 'protocol', message: `not ${client.publicKey}` })
  await vi.waitUntil(() => arrived.length === 0 || arrived[0]?.channel.isClosed === true)
  expect(arrived.flatMap(({ lines }) => lines)).toEqual([])
})

/** A TLS client of another kind. */
async function stranger(address: Address, options: object): Promise<TLSSocket> {
  const socket = connectSecurely({ ...address, rejectUnauthorized: false, ...options })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}

test('a client without a certificate has no key', async () => {
  const { address, arrived } = await listening()
  await stranger(address, {})
  await vi.waitUntil(() => arrived.length === 1)
  expect(arrived[0]?.channel.secure?.peerKey).toBeUndefined()
})

// A resumed session shows no certificate: whoever got hold of one would be taken for its owner.
test('no session is resumed', async () => {
  const { address, arrived } = await listening()
  for (const options of [{}, client.forTls]) {
    const first = await stranger(address, options)
    const [session] = (await once(first, 'session')) as [Buffer]
    const again = await stranger(address, { ...options, session }).catch((error: unknown) => error)
    expect(again).toBeInstanceOf(Error)
  }
  expect(arrived.length).toBe(2)
})

test('TLS 1.2 is not spoken', async () => {
  const { address } = await listening()
  await expect(stranger(address, { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' })).rejects.toThrow(
    /alert|version/i,
  )
})

test('a handshake that is broken off or is nonsense leaves nothing behind', async () => {
  const { listener, address } = await listening()
  for (const bytes of [[0x16], [0x16, 3, 1, 0, 200, 1], [0x16, ...Array.from({ length: 500 }, () => 0xff)]]) {
    const socket = connect(address.port, address.host)
    socket.on('error', () => undefined)
    socket.end(Buffer.from(bytes))
    socket.resume()
    await once(socket, 'close')
  }
  await vi.waitUntil(() => listener.connections === 0)
  expect(listener.acceptedCount).toBe(3)
})

test('the key of a certificate is read from it, and what is no certificate has none', () => {
  const raw = Buffer.from(client.forTls.cert.replaceAll(/-----.*-----|\n/g, ''), 'base64')
  expect(keyOfCertificate(raw)).toBe(client.publicKey)
  expect(keyOfCertificate(raw.subarray(0, -1))).toBeUndefined()
  expect(keyOfCertificate(Buffer.alloc(0))).toBeUndefined()
})
