// Records that tls-session.c must not take, and changed ones: nothing of them is opened, and nothing behind them.

import { describe, expect, test } from 'vitest'
import type { TlsSession } from '../../src/common/wire/tls-session.ts'
import { sampleBytes } from '../client/sharing/sample-file.ts'
import { compiledFunctions, functions, whyNotCompiled } from './compiled-tls.ts'
import { headOf, keyUpdate, message, ticketMessage, type, type RecordPeer } from './record-peer.ts'
import { connected, openedBy, withPeer } from './tls-ends.ts'

const nothing = Buffer.alloc(0)
const bytes = (...numbers: number[]): Buffer => Buffer.from(numbers)
const hex = (digits: string): Buffer => Buffer.from(digits, 'hex')
const ticket = message(ticketMessage, sampleBytes(200))

/** What it sends, sealed, as it must be seen by the other end. */
function answerTo(peer: RecordPeer, session: TlsSession): unknown[] {
  return peer.opened(session.output() ?? nothing).map(([kind, content]) => [kind, ...content])
}

const isSkipped = compiledFunctions === undefined && whyNotCompiled !== undefined

describe.skipIf(isSkipped).each([
  ['calls', false],
  ['is called', true],
])('an end that %s', (_, isCalled) => {
  test('an alert ends it with its reason, and is not answered', async () => {
    const { session, peer } = await withPeer(functions(), isCalled)
    const sealed = Buffer.concat([peer.record(bytes(2, 20), type.alert), peer.record(bytes(1))])
    expect(() => openedBy(session, sealed, 9)).toThrow(/^the connection broke: .*bad record mac/)
    expect([session.isBroken, session.output()]).toEqual([true, undefined])
    expect(() => openedBy(session, peer.record(bytes(1)), 9)).toThrow('the connection broke')
    expect(() => session.seal(bytes(1))).toThrow('TLS failed')
    expect(session.close()).toBeUndefined()
  })

  test.each<[string, (peer: RecordPeer) => Buffer[], RegExp, number]>([
    ['a change of ciphers', () => [hex('140303000101')], /bad record type/, 10],
    ['a plain alert', () => [hex('15030300020100')], /bad record type/, 10],
    [
      'another version',
      () => [Buffer.concat([headOf(20, 23, 0x0301), Buffer.alloc(20)])],
      /wrong version number/,
      50,
    ],
    ['no room for a type', () => [Buffer.concat([headOf(16), Buffer.alloc(16)])], /length too short/, 50],
    ['a length that is too long', () => [headOf(16_402)], /encrypted length too long/, 22],
    ['too many bytes', (peer) => [peer.record(Buffer.alloc(16_385))], /encrypted length too long/, 22],
    ['no content but zeros', (peer) => [peer.record(nothing, 0, 40)], /unexpected message/, 10],
    ['a sealed change of ciphers', (peer) => [peer.record(bytes(1), 20)], /unexpected message/, 10],
    ['an unknown type', (peer) => [peer.record(bytes(1), 24)], /unexpected message/, 10],
    ['half an alert', (peer) => [peer.record(bytes(2), type.alert)], /invalid alert/, 10],
    ['two alerts in one', (peer) => [peer.record(bytes(1, 0, 1, 0), type.alert)], /invalid alert/, 10],
    ['a message without a byte', (peer) => [peer.record(nothing, type.handshake)], /unexpected message/, 10],
    ['a hello', (peer) => [peer.record(message(1, ticket), type.handshake)], /unexpected message/, 10],
    ['a request for a certificate', (peer) => [peer.record(bytes(13, 0, 0, 3), type.handshake)], /unexp/, 10],
    ['new keys of 2 bytes', (peer) => [peer.record(message(24, bytes(0, 0)), type.handshake)], /bad key/, 50],
    ['new keys of none', (peer) => [peer.record(message(24, nothing), type.handshake)], /bad key update/, 50],
    ['unknown new keys', (peer) => [peer.record(keyUpdate(2), type.handshake)], /bad key update/, 47],
    [
      'something behind new keys',
      (peer) => [peer.record(Buffer.concat([keyUpdate(0), bytes(4)]), type.handshake)],
      /not on record boundary/,
      10,
    ],
    [
      'bytes amid a message',
      (peer) => [peer.record(keyUpdate(0).subarray(0, 2), type.handshake), peer.record(bytes(1))],
      /unexpected message/,
      10,
    ],
    [
      'an empty record amid a message',
      (peer) => [peer.record(keyUpdate(0).subarray(0, 4), type.handshake), peer.record(nothing)],
      /unexpected message/,
      10,
    ],
    [
      'the end amid a message',
      (peer) => [peer.record(bytes(24), type.handshake), peer.record(bytes(1, 0), type.alert)],
      /unexpected message/,
      10,
    ],
    [
      'a ticket that is none, or too long',
      (peer) => [peer.record(isCalled ? ticket : message(4, nothing, 131_339), type.handshake)],
      isCalled ? /unexpected message/ : /excessive message size/,
      isCalled ? 10 : 47,
    ],
    [
      '33 empty records',
      (peer) => Array.from({ length: 33 }, () => peer.record(nothing, type.application, 5)),
      /unexpected message/,
      10,
    ],
    [
      '33 new keys',
      (peer) => Array.from({ length: 33 }, () => peer.keyUpdate(true)),
      /unexpected message/,
      10,
    ],
  ])('%s breaks it: it says why, and takes nothing more', async (_, records, reason, alert) => {
    const { session, peer } = await withPeer(functions(), isCalled)
    expect(openedBy(session, peer.record(bytes(1)), 9)).toEqual(bytes(1))
    const target = Buffer.alloc(20_000)
    const bad = records(peer)
    for (const record of bad.slice(0, -1)) {
      session.open(record, target)
      expect(session.filled).toBe(0)
    }
    expect(() => session.open(bad.at(-1) ?? nothing, target)).toThrow(reason)
    expect(target.equals(Buffer.alloc(20_000))).toBe(true)
    expect(answerTo(peer, session)).toEqual([[type.alert, 2, alert]])
    expect(() => session.open(peer.record(bytes(1)), target)).toThrow('the connection broke')
    expect(() => session.seal(bytes(1))).toThrow('TLS failed')
    expect(session.close()).toBeUndefined()
  })
})

describe.skipIf(isSkipped)('records on the way', () => {
  test('where any bit of them is changed, no byte is opened, nor of what follows', () => {
    const record = 22 + 10
    for (let bit = 0; bit < record * 8; bit++) {
      const { calling, called } = connected(functions())
      const sealed = Buffer.from(calling.seal(sampleBytes(10)).bytes)
      sealed.writeUInt8(sealed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      const target = Buffer.alloc(16_384)
      const behind = calling.seal(sampleBytes(20_000)).bytes
      const open = (): void => {
        for (const part of [sealed, behind]) {
          called.open(part, target)
          expect(called.filled).toBe(0)
        }
      }
      expect(open, `bit ${bit}`).toThrow('the connection broke')
      expect(target.equals(Buffer.alloc(16_384)), `bit ${bit}`).toBe(true)
    }
  })

  test.each([
    ['twice', [0, 0], [1]],
    ['out of order', [1, 0], []],
    ['without the one before', [1], []],
    ['twice, later', [0, 1, 0], [1, 2]],
  ])('when one comes %s, nothing of it is opened', (_, order, taken) => {
    const { calling, called } = connected(functions())
    const records = [1, 2].map((each) => Buffer.from(calling.seal(bytes(each)).bytes))
    const opened: number[] = []
    const open = (): void => {
      for (const index of order) opened.push(...openedBy(called, records[index] ?? nothing, 9))
    }
    expect(open).toThrow(/bad record mac/)
    expect(opened).toEqual(taken)
  })

  test('what is sealed for one connection is nothing to another, or to the end that sent it', () => {
    const [one, other] = [connected(functions()), connected(functions())]
    const sealed = one.calling.seal(bytes(1)).bytes
    for (const end of [other.called, one.calling])
      expect(() => openedBy(end, sealed, 9)).toThrow(/bad record mac/)
  })

  test('there is nothing to seal or open before the handshake is done', () => {
    const { context, session, seal, open } = functions()
    const one = session(context('TLS_AES_128_GCM_SHA256', 'X25519', undefined, undefined))
    expect(() => seal(one, bytes(1), Buffer.alloc(100))).toThrow('TLS failed')
    expect(() => open(one, Buffer.alloc(100), Buffer.alloc(100), new Int32Array(3))).toThrow('TLS failed')
  })
})
