// The compiled functions for TLS on bytes in memory. What both kinds of TLS have in common is in tls.test.ts.

import { expect, describe, onTestFinished, test, vi } from 'vitest'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import fc from 'fast-check'
import { Failure } from '../../src/common/failure.ts'
import { lineBytesMax, peerConnectionLimits } from '../../src/common/limits.ts'
import { makeIdentity } from '../../src/common/security/identity.ts'
import type { Channel } from '../../src/common/wire/channel.ts'
import { Listener } from '../../src/common/wire/listener.ts'
import { openChannel } from '../../src/common/wire/open-channel.ts'
import { loadTlsFunctions, TlsSessions } from '../../src/common/wire/tls-session.ts'
import { sampleBytes } from '../client/sharing/sample-file.ts'
import { compiledFunctions, functions, whyNotCompiled } from './compiled-tls.ts'
import { connected, openedBy } from './tls-ends.ts'

const server = makeIdentity()

const nothing = Buffer.alloc(0)

test('where there is no such file, there are no functions', () => {
  expect(loadTlsFunctions('/nowhere/tls-session.node')).toBeUndefined()
})

describe.skipIf(compiledFunctions === undefined && whyNotCompiled !== undefined)('compiled TLS', () => {
  test('both ends share a binding, and the calling one sees the key', () => {
    const { calling, called } = connected(functions(), server)
    const [one, other] = [calling.shaken(), called.shaken()]
    expect(one.secure).toEqual({ ...other.secure, peerKey: server.publicKey })
    expect([one.showsOthers, other.secure.peerKey]).toEqual([false, undefined])
  })

  test('what is known of the handshake is asked once, and then its memory is free', () => {
    const { calling, called } = connected(functions(), server)
    calling.shaken()
    expect(() => calling.shaken()).toThrow('the handshake is not done, or was asked about before')
    expect(openedBy(called, calling.seal(Buffer.from('one')).bytes, 9)).toEqual(Buffer.from('one'))
    expect(calling.shake(Buffer.from('two'))).toEqual(Buffer.from('two'))
  })

  // It counted as one that goes on, and the connection stayed open until somebody lost patience.
  test('an end that is told before the handshake is done has failed', () => {
    const calling = new TlsSessions(functions()).begin()
    calling.shake(nothing)
    const closing = Buffer.from([0x15, 3, 3, 0, 2, 1, 0])
    expect(() => calling.shake(closing)).toThrow('the other end closed the connection')
    calling.close()
  })

  test('bytes arrive whole and in order, however long they are, and however they are cut on the way', () => {
    const { calling, called } = connected(functions(), server)
    const lengths = fc.array(
      fc.oneof(fc.integer({ min: 1, max: 200 }), fc.constantFrom(16_383, 16_384, 16_385, 524_288)),
      { minLength: 1, maxLength: 4 },
    )
    fc.assert(
      fc.property(
        lengths,
        fc.integer({ min: 700, max: 70_000 }),
        fc.constantFrom(1000, 16_384, 600_000),
        fc.boolean(),
        (parts, cutBytes, targetBytes, isBack) => {
          const [from, to] = isBack ? [called, calling] : [calling, called]
          const bytes = parts.map((length, index) => sampleBytes(length, index + 1))
          const sealed = Buffer.concat(bytes.map((part) => Buffer.from(from.seal(part).bytes)))
          const found: Buffer[] = []
          for (let at = 0; at < sealed.length; at += cutBytes)
            found.push(openedBy(to, sealed.subarray(at, at + cutBytes), targetBytes))
          expect(Buffer.concat(found).equals(Buffer.concat(bytes))).toBe(true)
          expect(sealed.includes(bytes[0]?.subarray(0, 64) ?? '')).toBe((bytes[0]?.length ?? 0) < 3)
        },
      ),
      { numRuns: 30, seed: 13 },
    )
  })

  test('bytes arrive one by one', () => {
    const { calling, called } = connected(functions(), server)
    const bytes = sampleBytes(5000)
    const found = [...calling.seal(bytes).bytes].map((byte) => openedBy(called, Buffer.from([byte]), 100))
    expect(Buffer.concat(found).equals(bytes)).toBe(true)
  })

  test('a buffer for sealed bytes is used again only when it was released', () => {
    const { calling, called } = connected(functions(), server)
    const [one, two] = [sampleBytes(524_288, 1), sampleBytes(524_288, 2)]
    const [first, second] = [calling.seal(one), calling.seal(two)]
    expect(openedBy(called, first.bytes, 600_000).equals(one)).toBe(true)
    first.release()
    const third = calling.seal(one)
    expect(openedBy(called, second.bytes, 600_000).equals(two)).toBe(true)
    expect(third.bytes.buffer).toBe(first.bytes.buffer)
    expect(openedBy(called, third.bytes, 600_000).equals(one)).toBe(true)
  })

  test('of a changed record nothing is opened, and the other end is told', () => {
    const { calling, called } = connected(functions(), server)
    const sealed = Buffer.from(calling.seal(sampleBytes(40_000)).bytes)
    // In the second record.
    sealed.writeUInt8(sealed.readUInt8(20_000) ^ 1, 20_000)
    const target = Buffer.alloc(40_000)
    expect(() => called.open(sealed, target)).toThrow(/^the connection broke: .*bad record mac/)
    expect(target.subarray(16_384).equals(Buffer.alloc(40_000 - 16_384))).toBe(true)
    const alert = called.output() ?? nothing
    expect(() => calling.open(alert, target)).toThrow(/bad record mac/)
  })

  test('the end of one side is told to the other', () => {
    const { calling, called } = connected(functions(), server)
    const last = calling.close() ?? nothing
    expect(openedBy(called, last, 10).length).toBe(0)
    expect([called.isEnded, calling.close()]).toEqual([true, undefined])
  })

  test('what was freed, and what is none, is refused', () => {
    const { context, session, seal, free, shake, open, secure } = functions()
    const one = session(context('TLS_AES_128_GCM_SHA256', 'X25519', undefined, undefined))
    expect(() => secure(one)).toThrow('the handshake is not done, or was asked about before')
    expect(() => seal(one, nothing, Buffer.alloc(0).buffer as never)).toThrow(TypeError)
    expect(() => open(one, nothing, nothing, new Int32Array(2))).toThrow(TypeError)
    expect(() => shake(one, nothing, new Uint8Array(3) as never)).toThrow(TypeError)
    free(one)
    for (const bad of [one, {}, 'session'])
      expect(() => seal(bad as object, nothing, nothing)).toThrow('not a session, or one that was freed')
    expect(() => context('no suite', 'X25519', undefined, undefined)).toThrow('no cipher match')
    expect(() => context('TLS_AES_128_GCM_SHA256', 'X25519', nothing, nothing)).toThrow(
      /null parameter|no start line/,
    )
  })
})

/** A proxy that sends on what comes in parts of random sizes, and changes a byte of what goes to the caller when told. */
async function inBetween(port: number): Promise<{ port: number; spoil: () => void }> {
  let isSpoiling = false
  const forward = (from: Socket, to: Socket, isBack: boolean): void => {
    from.on('error', () => to.destroy())
    from.on('end', () => to.end())
    from.on('data', (bytes: Buffer) => {
      if (isSpoiling && isBack) bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
      for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7919) % 65_537)
        to.write(bytes.subarray(at, at + size))
    })
  }
  const proxy = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    forward(near, far, false)
    forward(far, near, true)
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void proxy.close())
  return { port: (proxy.address() as AddressInfo).port, spoil: () => (isSpoiling = true) }
}

describe.skipIf(compiledFunctions === undefined && whyNotCompiled !== undefined)('a sealed channel', () => {
  /** A channel with a body that is read straight into `body`, through a proxy, and its other end. */
  async function opened(readBytesMax?: () => number) {
    const there: Channel[] = []
    const listener = new Listener({
      limits: peerConnectionLimits,
      tls: new TlsSessions(functions(), server.forTls),
      serve: (connection) => {
        there.push(connection.channel)
        connection.channel.listen({
          onFrame: () => undefined,
          onMalformed: () => undefined,
          bodyBuffer: () => nothing,
          onClosed: () => connection.onClosed(),
        })
      },
    })
    const { port } = await listener.listen({ host: '127.0.0.1', port: 0 })
    onTestFinished(() => listener.close('the test is over'))
    const proxy = await inBetween(port)
    const channel = await openChannel({ host: '127.0.0.1', port: proxy.port }, lineBytesMax, {
      ...(readBytesMax === undefined ? {} : { readBytesMax }),
      tls: { check: () => undefined, sessions: new TlsSessions(functions()) },
    })
    const body = Buffer.alloc(524_288)
    const heard: unknown[] = []
    const closed: Failure[] = []
    channel.listen({
      onFrame: ({ message }) => heard.push(message),
      onMalformed: () => undefined,
      bodyBuffer: (_, bytes) => body.subarray(0, bytes),
      onClosed: (reason) => closed.push(reason),
    })
    channel.send({ hello: 1 })
    const far = await vi.waitUntil(() => there[0])
    return { channel, far, body, heard, closed, proxy }
  }

  test.each([
    ['as fast as they come', undefined],
    ['a little at a time', () => 1000],
  ])('bodies of any length go between lines, read %s', async (_, readBytesMax) => {
    const { far, body, heard } = await opened(readBytesMax)
    for (const length of [1, 16_384, 100_001, 524_288]) {
      const bytes = sampleBytes(length, length % 251)
      const taken = new Promise<void>((resolve) => {
        far.beginBulk({ bytes: length }, length)
        far.sendBytes(bytes, resolve)
      })
      far.send({ behind: length })
      await taken
      await vi.waitUntil(() => (heard.at(-1) as { behind?: number } | undefined)?.behind === length)
      expect(body.subarray(0, length).equals(bytes)).toBe(true)
    }
    expect(far.unsentBytes).toBe(0)
  })

  test('a byte that is changed on the way ends it, and nothing behind it is taken', async () => {
    const { far, heard, closed, proxy } = await opened()
    proxy.spoil()
    far.send({ first: 1 })
    await vi.waitUntil(() => closed.length === 1)
    expect(closed[0]?.message).toMatch(/^the connection broke: /)
    expect(heard).toEqual([])
    await vi.waitUntil(() => far.isClosed)
  })

  test('a byte that was changed ends it also while lines wait to be sent, which are not', async () => {
    const { channel, far, closed } = await opened()
    channel.send({ waiting: 1 })
    const record = Buffer.alloc(5 + 40)
    record.writeUIntBE(0x17_03_03_00_28, 0, 5)
    channel.open(record)
    expect(closed.map((reason) => reason.message)).toEqual([
      expect.stringMatching(/^the connection broke: .*bad record mac/),
    ])
    await vi.waitUntil(() => far.isClosed)
  })

  test('when one end closes, the other is told, and what was sent before arrives', async () => {
    const { channel, far, heard, closed } = await opened()
    far.send({ last: 1 })
    far.close(new Failure('connection-lost', 'enough'))
    await vi.waitUntil(() => closed.length === 1)
    expect([heard, closed[0]?.message, channel.isClosed]).toEqual([
      [{ last: 1 }],
      'the other end closed the connection',
      true,
    ])
    // Nothing can be sent any more, and to try does no harm.
    far.send({ after: 1 })
    far.flush()
  })
})
