// TLS on the port of the plain protocol: whose key is seen, what counts as none, and what strangers cannot make it do.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { connect as connectSecurely, createServer as createSecurely, type TLSSocket } from 'node:tls'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Address } from '../../src/common/addresses.ts'
import { Failure } from '../../src/common/failure.ts'
import { firstLineTimeoutMs, lineBytesMax, peerConnectionLimits } from '../../src/common/limits.ts'
import { keyOfCertificate } from '../../src/common/certificate.ts'
import { makeIdentity } from '../../src/common/security/identity.ts'
import type { Channel } from '../../src/common/wire/channel.ts'
import { Listener } from '../../src/common/wire/listener.ts'
import { openChannel, type TlsOptions } from '../../src/common/wire/open-channel.ts'
import { TlsSessions } from '../../src/common/wire/tls-session.ts'
import { secureContextOf } from '../../src/common/wire/tls.ts'
import { compiledFunctions, whyNotCompiled } from './compiled-tls.ts'
import { listeningSecurely, vouchedFor } from './other-certificates.ts'

const [server, client] = [makeIdentity(), makeIdentity()]

interface Arrived {
  readonly channel: Channel
  readonly lines: unknown[]
}

/** Who calls and who is called: a socket of Node's for TLS, or the functions that were compiled. */
const kinds = ['node', 'compiled'] as const
type Kind = (typeof kinds)[number]
const pairs = kinds.flatMap((caller) => kinds.map((called): [Kind, Kind] => [caller, called]))

describe.skipIf(compiledFunctions === undefined && whyNotCompiled !== undefined).each(pairs)(
  'TLS, called by %s, answered by %s',
  (caller, called) => {
    const functionsOf = (kind: Kind) => {
      if (kind === 'compiled' && compiledFunctions === undefined) throw new Error('it was not compiled')
      return kind === 'compiled' ? compiledFunctions : undefined
    }

    /** A listener with TLS, and what has come to it. */
    async function listening(
      takesPlain = true,
    ): Promise<{ listener: Listener; address: Address; arrived: Arrived[] }> {
      const arrived: Arrived[] = []
      const functions = functionsOf(called)
      const listener = new Listener({
        limits: peerConnectionLimits,
        tls:
          functions === undefined
            ? secureContextOf(server.forTls)
            : new TlsSessions(functions, server.forTls),
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

    const tls = (key = server.publicKey): TlsOptions => {
      const functions = functionsOf(caller)
      return {
        check: (shown) => (shown === key ? undefined : new Failure('protocol', `not ${key}`)),
        ...(functions === undefined ? {} : { sessions: new TlsSessions(functions) }),
      }
    }

    test('the caller sees the key of the other end, both share a binding, and messages go both ways', async () => {
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
      expect(arrived[0]?.channel.secure).toEqual({ ...channel.secure, peerKey: undefined })
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

    // To verify a chain of a hundred kilobytes would take half a second of the processor, also where nobody trusts it.
    test('no certificate of a caller is asked for, so none is verified', async () => {
      const { address, arrived } = await listening()
      const socket = await stranger(address, client.forTls)
      await vi.waitUntil(() => arrived.length === 1)
      expect(arrived[0]?.channel.secure?.peerKey).toBeUndefined()
      // A client that was asked says which signatures are allowed.
      expect(socket.getSharedSigalgs()).toEqual([])
    })

    test('a caller shows nothing of its own to whoever asks for a certificate', async () => {
      const shown: unknown[] = []
      const asking = createSecurely(
        { ...server.forTls, requestCert: true, rejectUnauthorized: false },
        (socket) => shown.push(socket.getPeerCertificate()),
      )
      await new Promise<void>((resolve) => asking.listen(0, '127.0.0.1', resolve))
      onTestFinished(() => void asking.close())
      const { port } = asking.address() as AddressInfo
      const channel = await openChannel({ host: '127.0.0.1', port }, lineBytesMax, { tls: tls() })
      await vi.waitUntil(() => shown.length === 1)
      expect(shown).toEqual([{}])
      channel.close(new Failure('connection-lost', 'done'))
    })

    // The largest group costs the called end 150 ms of its processor, and a caller that makes its share up nothing.
    test('nobody can choose a costly key exchange', async () => {
      const { address } = await listening()
      for (const ecdhCurve of ['ffdhe8192', 'ffdhe2048', 'P-521'])
        await expect(stranger(address, { ecdhCurve })).rejects.toThrow(/alert/)
      const socket = await stranger(address, { ecdhCurve: 'X25519' })
      expect(socket.getEphemeralKeyInfo()).toMatchObject({ name: 'X25519' })
    })

    /** What a client says first. */
    async function helloOfClient(): Promise<Buffer> {
      const taking = createServer()
      await new Promise<void>((resolve) => taking.listen(0, '127.0.0.1', resolve))
      const socket = connectSecurely((taking.address() as AddressInfo).port, '127.0.0.1')
      socket.on('error', () => undefined)
      const [taken] = (await once(taking, 'connection')) as [Socket]
      const [hello] = (await once(taken, 'data')) as [Buffer]
      for (const each of [socket, taken]) each.destroy()
      taking.close()
      return hello
    }

    test('handshakes begin in turn by address, so that a hundred of one do not delay that of another', async () => {
      const { listener, address } = await listening()
      const hello = await helloOfClient()
      const from = (localAddress: string): Socket => {
        const socket = connect({ ...address, localAddress })
        onTestFinished(() => void socket.destroy())
        return socket.on('error', () => undefined)
      }
      const [flood, one] = [Array.from({ length: 100 }, () => from('127.0.0.1')), from('127.0.0.2')]
      await vi.waitUntil(() => listener.acceptedCount === 101)
      let answered = 0
      const answers = flood.map((socket) => once(socket, 'data').then(() => answered++))
      for (const socket of [...flood, one]) socket.write(hello)
      await once(one, 'data')
      expect(answered).toBeLessThan(20)
      await Promise.all(answers)
    })

    test('a beginning of a handshake that is far too long is not kept', async () => {
      const { listener, address } = await listening()
      const socket = connect(address.port, address.host)
      socket.on('error', () => undefined).resume()
      const [start, beginMs] = [Buffer.from([0x16, 3, 1, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3]), performance.now()]
      // More is to come.
      socket.write(Buffer.concat([start, Buffer.alloc(12 * 1024)]))
      await once(socket, 'close')
      expect(performance.now() - beginMs).toBeLessThan(firstLineTimeoutMs / 2)
      await vi.waitUntil(() => listener.connections === 0)
    })

    // A resumed session shows no certificate.
    test('no session is resumed', async () => {
      const { address, arrived } = await listening()
      const first = await stranger(address, {})
      // The compiled functions send nothing that a session could be resumed by.
      const session = called === 'node' ? ((await once(first, 'session')) as [Buffer])[0] : first.getSession()
      const again = await stranger(address, session === undefined ? {} : { session })
      expect(again.isSessionReused()).toBe(false)
      await vi.waitUntil(() => arrived.length === 2)
    })

    // Each certificate of a chain can cost whoever verifies it 7 ms, and 90 fit.
    test('an end with the right key that shows others that vouch for it breaks the protocol', async () => {
      const { key, tlsOptions } = vouchedFor()
      const there = await listeningSecurely(tlsOptions)
      await expect(openChannel(there, lineBytesMax, { tls: tls(key) })).rejects.toMatchObject({
        code: 'protocol',
        message: `127.0.0.1:${there.port} shows a certificate of somebody else; somebody may be in between`,
      })
    })

    test('TLS 1.2 is not spoken', async () => {
      const { address } = await listening()
      await expect(stranger(address, { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' })).rejects.toThrow(
        /alert|version/i,
      )
    })

    test('a handshake that is broken off or is nonsense leaves nothing behind', async () => {
      const { listener, address } = await listening()
      for (const bytes of [
        [0x16],
        [0x16, 3, 1, 0, 200, 1],
        [0x16, ...Array.from({ length: 500 }, () => 0xff)],
      ]) {
        const socket = connect(address.port, address.host)
        socket.on('error', () => undefined)
        socket.end(Buffer.from(bytes))
        socket.resume()
        await once(socket, 'close')
      }
      await vi.waitUntil(() => listener.connections === 0)
      expect(listener.acceptedCount).toBe(3)
    })
  },
)

test('the key of a certificate is read from it, and what is no certificate has none', () => {
  const raw = Buffer.from(client.forTls.cert.replaceAll(/-----.*-----|\n/g, ''), 'base64')
  expect(keyOfCertificate(raw)).toBe(client.publicKey)
  expect(keyOfCertificate(raw.subarray(0, -1))).toBeUndefined()
  expect(keyOfCertificate(Buffer.alloc(0))).toBeUndefined()
})
