// The records of tls-session.c, which are ours behind the handshake (RFC 8446). Bad ones are in tls-bad-records.test.ts.

import { expect, describe, onTestFinished, test, vi } from 'vitest'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { makeIdentity } from '../../src/common/security/identity.ts'
import { ciphers, ecdhCurve } from '../../src/common/wire/tls.ts'
import { loadTlsFunctions, type TlsFunctions } from '../../src/common/wire/tls-session.ts'
import { sampleBytes } from '../client/sharing/sample-file.ts'
import { compiledFunctions, functions, whyNotCompiled } from './compiled-tls.ts'
import { keyUpdate, message, RecordKeys, suiteNames, ticketMessage, type } from './record-peer.ts'
import { openedBy, withNode, withPeer } from './tls-ends.ts'

const nothing = Buffer.alloc(0)
const bytes = (...numbers: number[]): Buffer => Buffer.from(numbers)
const hex = (digits: string): Buffer => Buffer.from(digits, 'hex')
const ticket = message(ticketMessage, sampleBytes(200))

test('the peer of these tests makes keys and records as RFC 8448 shows them', () => {
  const secret = hex('9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5')
  const keys = new RecordKeys(secret)
  expect(keys.key.toString('hex')).toBe('17422dda596ed5d9acd890e3c63f5051')
  expect(keys.iv.toString('hex')).toBe('5b78923dee08579033e523d9')
  const sealed = keys.sealed(bytes(...Array.from({ length: 50 }).keys(), type.application))
  const shown =
    '1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aeebb21694915e4'
  expect(sealed.toString('hex')).toBe(shown)
})

const isSkipped = compiledFunctions === undefined && whyNotCompiled !== undefined

describe.skipIf(isSkipped).each([
  ['calls', false],
  ['is called', true],
])('records of an end that %s', (_, isCalled) => {
  test.each(suiteNames)('with %s, Node understands them, and they Node, tickets or not', async (suite) => {
    const { session, socket, node, rest } = await withNode(functions(), isCalled, suite)
    const [there, back] = [sampleBytes(524_289, 1), sampleBytes(524_289, 2)]
    const [atNode, atSession]: [Buffer[], Buffer[]] = [[], [openedBy(session, rest, 70_000)]]
    node.on('data', (part: Buffer) => atNode.push(part))
    socket.on('data', (part: Buffer) => atSession.push(openedBy(session, part, 70_000))).resume()
    for (let at = 0; at < there.length; at += 100_000) {
      socket.write(Buffer.from(session.seal(there.subarray(at, at + 100_000)).bytes))
      node.write(back.subarray(at, at + 100_000))
    }
    await vi.waitUntil(() => Buffer.concat(atNode).length === there.length)
    await vi.waitUntil(() => Buffer.concat(atSession).length === back.length)
    expect([Buffer.concat(atNode).equals(there), Buffer.concat(atSession).equals(back)]).toEqual([true, true])
    node.end()
    await vi.waitUntil(() => session.isEnded)
  })

  test.each(suiteNames)('with %s, they are those of RFC 8446, and so are their keys', async (suite) => {
    const { session, peer } = await withPeer(functions(), isCalled, suite)
    const sealed = session.seal(sampleBytes(16_385)).bytes
    expect(sealed.length).toBe(16_385 + 2 * 22)
    expect(peer.opened(sealed)).toEqual([
      [type.application, sampleBytes(16_385).subarray(0, 16_384)],
      [type.application, sampleBytes(16_385).subarray(16_384)],
    ])
    expect(openedBy(session, peer.record(bytes(1, 2, 3)), 10)).toEqual(bytes(1, 2, 3))
  })

  test('they are opened wherever they are cut, with padding or without', async () => {
    const { session, peer } = await withPeer(functions(), isCalled)
    // One byte less than the first record, too.
    for (const targetBytes of [1, 3, 16, 1000])
      for (let at = 0; at <= 3 * 22 + 37; at++) {
        const records = Buffer.concat([
          peer.record(bytes(1, 2, 0, 0)),
          peer.record(nothing, type.application, 3),
          peer.record(sampleBytes(20), type.application, 10),
        ])
        const parts = [records.subarray(0, at), records.subarray(at)]
        const found = Buffer.concat(parts.map((part) => openedBy(session, part, targetBytes)))
        expect(found, `cut at ${at}`).toEqual(Buffer.concat([bytes(1, 2, 0, 0), sampleBytes(20)]))
      }
  })

  test('any order of bytes, padding, empty records, tickets and new keys gives the bytes', async () => {
    const { session, peer } = await withPeer(functions(), isCalled)
    const step = fc.oneof(
      fc.record({ bytes: fc.oneof(fc.nat(40), fc.constantFrom(16_383, 16_384)), padding: fc.nat(30) }),
      fc.record({ asks: fc.boolean() }),
      fc.record({ parts: fc.integer({ min: 1, max: 4 }), isTicket: fc.boolean() }),
    )
    const orders = fc.array(step, { minLength: 1, maxLength: 30 })
    const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 50_000 })), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(
        orders,
        sizes,
        fc.constantFrom(1, 13, 16_384, 16_385, 100_000),
        (order, cuts, targetBytes) => {
          const sent: Buffer[] = []
          const records = order.map((one) => {
            if ('asks' in one) return peer.keyUpdate(one.asks)
            if ('parts' in one) {
              // Only who calls gets tickets.
              const whole = one.isTicket && !isCalled ? ticket : keyUpdate(0)
              const [each, records] = [Math.ceil(whole.length / one.parts), [] as Buffer[]]
              for (let at = 0; at < whole.length; at += each)
                records.push(peer.record(whole.subarray(at, at + each), type.handshake))
              if (whole !== ticket) peer.sending.renew()
              return Buffer.concat(records)
            }
            const content = sampleBytes(one.bytes, 1 + (sent.length % 200))
            sent.push(content)
            return peer.record(content, type.application, Math.min(one.padding, 16_384 - one.bytes))
          })
          // Never 33 in a row that bring nothing.
          records.push(peer.record(bytes(9)))
          const all = Buffer.concat(records)
          const found: Buffer[] = []
          for (let at = 0, cut = 0; at < all.length; at += cuts[cut++ % cuts.length] ?? 1)
            found.push(openedBy(session, all.subarray(at, at + (cuts[cut % cuts.length] ?? 1)), targetBytes))
          expect(Buffer.concat(found).equals(Buffer.concat([...sent, bytes(9)]))).toBe(true)
          expect(session.output()).toBeUndefined()
          expect(peer.opened(session.seal(bytes(7)).bytes).at(-1)).toEqual([type.application, bytes(7)])
        },
      ),
      { numRuns: Number(process.env['RECORD_RUNS'] ?? 60), seed: Number(process.env['RECORD_SEED'] ?? 7) },
    )
  })

  test('many small messages arrive one by one, both ways', async () => {
    const { session, peer } = await withPeer(functions(), isCalled)
    for (let count = 0; count < 3000; count++) {
      const content = sampleBytes(1 + (count % 50))
      expect(openedBy(session, peer.record(content), 100).equals(content)).toBe(true)
      expect(peer.opened(session.seal(content).bytes)).toEqual([[type.application, content]])
    }
  })

  test('new keys of the other end are taken, and its old ones never again', async () => {
    const { session, peer } = await withPeer(functions(), isCalled)
    const old = peer.sending.sealed.bind(peer.sending)
    expect(openedBy(session, Buffer.concat([peer.keyUpdate(false), peer.record(bytes(1))]), 9)).toEqual(
      bytes(1),
    )
    // It was not asked for new ones itself.
    expect(peer.opened(session.seal(bytes(2)).bytes)).toEqual([[type.application, bytes(2)]])
    const update = peer.record(keyUpdate(0), type.handshake)
    expect(openedBy(session, update, 9)).toEqual(nothing)
    expect(() => openedBy(session, old(bytes(3, type.application)), 9)).toThrow(/bad record mac/)
  })

  test('who asks for new keys gets them before the next bytes, and once, however often it asked', async () => {
    const { session, peer } = await withPeer(functions(), isCalled)
    for (const times of [1, 5]) {
      for (let asked = 0; asked < times; asked++)
        expect(openedBy(session, peer.keyUpdate(true), 9)).toEqual(nothing)
      expect(session.output()).toBeUndefined()
      expect(peer.opened(session.seal(bytes(7)).bytes)).toEqual([
        [type.handshake, keyUpdate(0)],
        [type.application, bytes(7)],
      ])
      expect(peer.opened(session.seal(bytes(8)).bytes)).toEqual([[type.application, bytes(8)]])
    }
  })

  test('a target keeps nothing of messages that are not for the program', async () => {
    const { session, peer } = await withPeer(functions(), isCalled)
    const target = Buffer.alloc(300)
    const sealed = Buffer.concat([peer.record(bytes(5)), peer.keyUpdate(true)])
    session.open(sealed, target)
    expect(target).toEqual(Buffer.concat([bytes(5), Buffer.alloc(299)]))
  })

  test('the end that it is told is the last that it takes', async () => {
    const { session, peer } = await withPeer(functions(), isCalled)
    const sealed = Buffer.concat([
      peer.record(bytes(1)),
      peer.record(bytes(1, 0), type.alert),
      peer.record(bytes(2)),
    ])
    expect(openedBy(session, sealed, 9)).toEqual(bytes(1))
    expect([session.isEnded, openedBy(session, peer.record(bytes(3)), 9)]).toEqual([true, nothing])
    // It may go on itself, until it says the same.
    expect(peer.opened(session.seal(bytes(4)).bytes)).toEqual([[type.application, bytes(4)]])
    expect(peer.opened(session.close() ?? nothing)).toEqual([[type.alert, bytes(1, 0)]])
  })

  // RFC 8446, 6.1: it announces that the other end closes, and OpenSSL takes it so.
  test('an end that says that it gives up is told from one that fails', async () => {
    const { session, peer } = await withPeer(functions(), isCalled)
    const sealed = Buffer.concat([
      peer.record(bytes(1, 90), type.alert),
      peer.record(bytes(1, 0), type.alert),
    ])
    expect(openedBy(session, sealed, 9)).toEqual(nothing)
    expect([session.isEnded, session.isBroken]).toEqual([true, false])
  })

  test('32 records without a byte for the program are taken, again and again', async () => {
    const { session, peer } = await withPeer(functions(), isCalled)
    for (const each of [1, 2, 3]) {
      for (let count = 0; count < 32; count++)
        expect(openedBy(session, count % 2 === 0 ? peer.record(nothing) : peer.keyUpdate(false), 9)).toEqual(
          nothing,
        )
      expect(openedBy(session, peer.record(bytes(each)), 9)).toEqual(bytes(each))
    }
  })
})

test.skipIf(isSkipped)(
  'bytes are sealed between the handshake and the end, after what those say, and where there is room',
  () => {
    const { context, session, shake, seal, output, end, free } = functions()
    const { key, cert } = makeIdentity().forTls
    const calling = session(context(ciphers, ecdhCurve, undefined, undefined))
    const called = session(context(ciphers, ecdhCurve, Buffer.from(key), Buffer.from(cert)))
    const result = new Int32Array(3)
    const target = Buffer.alloc(23)
    for (const [from, to] of [[called, calling] as const, [calling, called] as const]) {
      expect(() => seal(to, bytes(1), target)).toThrow('TLS failed')
      shake(to, output(from) ?? nothing, result)
    }
    shake(calling, output(called) ?? nothing, result)
    expect(result[2]).toBe(1)
    expect(() => seal(calling, bytes(1), target)).toThrow('TLS failed')
    expect(output(calling)?.length).toBeGreaterThan(0)
    expect(() => seal(calling, bytes(1), target.subarray(1))).toThrow('TLS failed')
    expect(target.equals(Buffer.alloc(23))).toBe(true)
    expect([seal(calling, bytes(1), target), seal(calling, nothing, nothing)]).toEqual([23, 0])
    end(calling)
    end(calling)
    expect(output(calling)?.length).toBe(2 + 22)
    expect(() => seal(calling, bytes(1), target)).toThrow('TLS failed')
    for (const each of [calling, called]) free(each)
  },
)

/** Compiled so that new keys are made after as many records. */
function compiledWith(recordsPerKey: number): TlsFunctions {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-records-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const at = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url))
  const source = at('src/common/wire/tls-session.c')
  const headers = at('node_modules/node-api-headers/include')
  const path = join(folder, 'records.node')
  const late = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []
  const options = [
    '-std=c11',
    '-O1',
    '-shared',
    '-fPIC',
    '-Wall',
    '-Wextra',
    '-Werror',
    ...late,
    '-I',
    headers,
  ]
  const defined = `-DRECORDS_PER_KEY=${recordsPerKey}`
  const run = spawnSync(process.env['CC'] ?? 'cc', [...options, defined, '-o', path, source], {
    encoding: 'utf8',
  })
  expect(run.stderr).toBe('')
  const compiled = loadTlsFunctions(path)
  if (compiled === undefined) throw new Error('it does not load')
  return compiled
}

test.skipIf(isSkipped)(
  'after as many records as its keys are good for, it takes new ones by itself',
  async () => {
    const compiled = compiledWith(3)
    const { session, peer } = await withPeer(compiled)
    const kinds: number[] = []
    for (let count = 0; count < 8; count++)
      kinds.push(...peer.opened(session.seal(sampleBytes(10)).bytes).map(([kind]) => kind))
    expect(kinds).toEqual([23, 23, 23, 22, 23, 23, 23, 22, 23, 23])
    expect(session.seal(sampleBytes(40_000)).bytes.length).toBe(40_000 + 3 * 22 + 27)
    const { session: other, socket, node } = await withNode(compiled, true, 'TLS_AES_128_GCM_SHA256')
    const found: Buffer[] = []
    node.on('data', (part: Buffer) => found.push(part))
    for (let count = 0; count < 40; count++) socket.write(Buffer.from(other.seal(sampleBytes(20_000)).bytes))
    await vi.waitUntil(() => Buffer.concat(found).length === 800_000)
    expect(Buffer.concat(found).subarray(-20_000).equals(sampleBytes(20_000))).toBe(true)
  },
)
