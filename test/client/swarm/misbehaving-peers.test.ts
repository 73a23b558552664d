// What bad peers cost: themselves and a few seconds, never the download, and never a wrong byte.

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { hashPiece } from '../../../src/client/hashing/piece-hash.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { buildManifest } from '../../../src/common/manifest.ts'
import type { Behaviour, PieceReply } from './fake-seeder.ts'
import { OneDownload } from './one-download.ts'

const pieces = 8
const sizeBytes = (pieces - 1) * pieceBytes + 1000

const ascending = (a: number, b: number): number => a - b

const corrupted = ({ right, send }: PieceReply): void => {
  const wrong = Buffer.from(right)
  wrong.writeUInt8(wrong.readUInt8(100) ^ 1, 100)
  send(wrong)
}

/** Complete and identical, nothing left over, every piece written once. */
function expectWhole(one: OneDownload): void {
  expect(one.isIdentical()).toBe(true)
  expect(one.leftOver()).toEqual([])
  expect([...one.had].sort(ascending)).toEqual(Array.from({ length: pieces }, (_, index) => index))
}

/** A bad peer and a good one, from the start. */
async function expectWholeBeside(behaviour: Behaviour): Promise<OneDownload> {
  const one = new OneDownload(sizeBytes)
  await one.seeder('bad', behaviour)
  await one.seeder('good')
  one.start()
  await one.untilComplete()
  expectWhole(one)
  return one
}

describe('a peer that misbehaves does not keep the download from the good one', () => {
  test('one that hangs after two pieces', async () => {
    const one = await expectWholeBeside({
      piece: ({ before, send, right }) => {
        if (before < 2) send(right)
      },
    })
    expect(one.piecesByUser['good']).toBeGreaterThanOrEqual(pieces - 2)
  })

  test('one that stops in the middle of a piece and keeps the connection', async () => {
    const one = await expectWholeBeside({
      piece: ({ right, sendPart }) => sendPart(right.length, right.subarray(0, 777)),
    })
    expect(one.piecesByUser).toEqual({ good: pieces })
  })

  test('one that closes in the middle of a piece', async () => {
    const one = await expectWholeBeside({
      piece: ({ right, sendPart, hangUp }) => {
        sendPart(right.length, right.subarray(0, 500))
        hangUp()
      },
    })
    expect(one.piecesByUser).toEqual({ good: pieces })
  })

  test.each([
    ['shorter', -1],
    ['longer', 1],
    ['empty', -Infinity],
  ])(
    'one whose pieces are %s than they should be; it is named and not asked again',
    async (_what, difference) => {
      const one = new OneDownload(sizeBytes)
      const bad = await one.seeder('bad', {
        piece: ({ right, send }) => send(Buffer.alloc(Math.max(0, right.length + difference))),
      })
      one.start()
      await one.until('the peer to be named', () => one.notices.length > 0)
      expect(one.notices).toEqual([
        expect.stringMatching(/^bad@.* broke the protocol for file\.bin \(.*\); it is not asked again$/),
      ])
      const { connections } = bad
      one.joins(bad)
      one.joins(await one.seeder('good'))
      await one.untilComplete()
      expectWhole(one)
      expect(one.piecesByUser).toEqual({ good: pieces })
      expect(bad.connections).toBe(connections)
    },
  )

  // 10,717 requests in 1.9 s went to a peer that refused them all, and nobody was told.
  test.each([
    ['piece-missing', 'I do not have it'],
    ['cancelled', 'cancelled'],
    ['busy', 'later'],
    ['invalid-request', 'no'],
  ] as const)(
    'one that refuses every piece as %s; it is asked a few times and named',
    async (code, sentence) => {
      const one = new OneDownload(sizeBytes)
      const liar = await one.seeder('liar', { piece: (reply) => reply.refuse(code, sentence) })
      one.start()
      await one.until('the peer to be named', () => one.notices.length > 0)
      expect(one.notices).toEqual([
        expect.stringMatching(
          new RegExp(`^liar@.* refuses pieces of file.bin \\(${sentence}\\); it is asked again in 30 s$`),
        ),
      ])
      expect(liar.asked.length).toBeLessThanOrEqual(8)
      const { connections } = liar
      const held: (() => void)[] = []
      const good = await one.seeder('good', {
        piece: ({ before, right, send }) => (before === 0 ? send(right) : held.push(() => send(right))),
      })
      one.joins(good)
      await one.until('the good one to give', () => one.had.length === 1 && held.length > 0)
      // While another one gives, nobody's word brings it back before its time.
      one.joins(liar)
      for (const send of held) send()
      held.push = (send) => (send(), 0)
      await one.untilComplete()
      expectWhole(one)
      expect(liar.connections).toBe(connections)
    },
  )

  // A seeder of which somebody had changed every fourth piece was put aside as if it refused: 1.2 to 1.8 times as long.
  test('one that lost some of its pieces gives the others without a rest', async () => {
    const one = new OneDownload(16 * pieceBytes)
    const waiting: PieceReply[] = []
    const patchy = await one.seeder('patchy', {
      piece: (reply) => {
        if (reply.before < 3 || reply.before >= 11) reply.send(reply.right)
        else waiting.push(reply)
      },
    })
    one.start()
    await one.until('three pieces', () => one.had.length === 3 && waiting.length > 0)
    const { connections } = patchy
    waiting.push = (reply) => (reply.refuse('piece-missing', 'the file changed on disk'), 0)
    for (const reply of waiting.splice(0)) reply.refuse('piece-missing', 'the file changed on disk')
    await one.until('all that it has', () => one.had.length === 8)
    expect(patchy.connections).toBe(connections)
    one.joins(await one.seeder('good'))
    await one.untilComplete()
    expect(one.notices).toEqual([])
    expect(one.piecesByUser).toEqual({ patchy: 8, good: 8 })
  })

  // Three such peers used up all that may be under way: the download stopped at 39 of 64 pieces for ever.
  test('three of one user that send four pieces each, hold on to the rest, and answer pings', async () => {
    const one = new OneDownload(64 * pieceBytes)
    const holders = await Promise.all(
      Array.from({ length: 3 }, () =>
        one.seeder('holder', { piece: ({ before, right, send }) => before < 4 && send(right) }),
      ),
    )
    one.start()
    await one.until('all to hold back', () => holders.every(({ asked }) => asked.length > 4))
    one.joins(await one.seeder('good'))
    await one.untilComplete()
    expect(one.isIdentical()).toBe(true)
    expect(one.piecesByUser['good']).toBeGreaterThanOrEqual(52)
  })

  test('one that falls silent is asked whether it lives, and given up within seconds', async () => {
    const one = new OneDownload(sizeBytes)
    await one.seeder('silent', { piece: (reply) => reply.fallSilent() })
    one.start()
    await one.untilWhy(undefined)
    await one.untilWhy('connecting')
    one.joins(await one.seeder('good'))
    await one.untilComplete()
    expectWhole(one)
  })

  test('one whose file has changed, and one that is always busy', async () => {
    await expectWholeBeside({ piece: (reply) => reply.refuse('file-changed', 'it changed') })
    await expectWholeBeside({ piece: (reply) => reply.refuse('busy', 'later') })
  })

  test.each([
    ['too long', Buffer.alloc(2, 0xff).toString('base64')],
    ['too short', ''],
    ['no base64', '\u0000 \u2028 not base64 at all'],
  ])('one whose bitfield is %s; it is named and not asked again', async (_what, bitfield) => {
    const one = new OneDownload(sizeBytes)
    const bad = await one.seeder('bad', { bitfield })
    one.start()
    await one.until('the peer to be named', () => one.notices.length > 0)
    const { connections } = bad
    one.joins(bad)
    one.joins(await one.seeder('good'))
    await one.untilComplete()
    expect(one.piecesByUser).toEqual({ good: pieces })
    expect(one.notices).toEqual([
      expect.stringMatching(
        /^bad@.* broke the protocol for file\.bin \(it claims pieces that do not exist\); /,
      ),
    ])
    expect(bad.connections).toBe(connections)
  })

  test('one that announces a piece of 2^53 bytes; it is named and not asked again', async () => {
    const one = new OneDownload(sizeBytes)
    await one.seeder('bad', { piece: ({ right, sendPart }) => sendPart(2 ** 53, right) })
    one.start()
    await one.until('the peer to be named', () => one.notices.length > 0)
    expect(one.notices).toEqual([expect.stringMatching(/^bad@.* broke the protocol for file\.bin \(/)])
    one.joins(await one.seeder('good'))
    await one.untilComplete()
    expectWhole(one)
  })

  test('one that chooses pieces and does not send them', async () => {
    const one = await expectWholeBeside({ piece: ({ promise }) => promise() })
    expect(one.piecesByUser).toEqual({ good: pieces })
  })

  // Peers that hang were asked for the manifest one after the other, a second each.
  test('forty that accept connections and say nothing', async () => {
    const one = new OneDownload(sizeBytes)
    for (let count = 0; count < 40; count++) await one.seeder(`silent-${count}`, { silent: true })
    await one.seeder('good')
    one.start()
    await one.untilComplete()
    expectWhole(one)
  })

  test.each([
    ['of another file', buildManifest(7, hashPiece(Buffer.from('another'))).bytes],
    ['cut short', Buffer.from('CTM1')],
    ['empty', Buffer.alloc(0)],
    ['of a size beyond all bounds', Buffer.concat([Buffer.from('CTM1'), Buffer.alloc(8, 0xff)])],
  ])('one whose manifest is %s', async (_what, manifest) => {
    await expectWholeBeside({ manifest })
  })

  test('one that is not who the tracker said, and one that takes no ticket', async () => {
    expect((await expectWholeBeside({ impostor: true })).piecesByUser).toEqual({ good: pieces })
    expect((await expectWholeBeside({ refusesTickets: true })).piecesByUser).toEqual({ good: pieces })
  })
})

// It showed "connecting", and nobody learned why for as long as the tracker's clock was wrong.
test('a download whose seeders take no ticket says so, and goes on when they do', async () => {
  const one = new OneDownload(sizeBytes)
  const behaviour: Behaviour = { refusesTickets: true }
  const seeder = await one.seeder('strict', behaviour)
  one.start()
  await one.untilWhy('the seeders do not let this client in; asking a tracker for a new ticket')
  behaviour.refusesTickets = false
  one.joins(seeder)
  await one.untilComplete()
  expectWhole(one)
})

// Each of 25 that lied was asked for ten pieces before the first of them was seen to be bad.
test('beside another peer, one that never sent a good piece is asked for three at most', async () => {
  const one = new OneDownload(64 * pieceBytes)
  const waiting: (() => void)[] = []
  const good = await one.seeder('good', {
    piece: ({ right, send }) => {
      if (one.notices.length > 0) send(right)
      else waiting.push(() => send(right))
    },
  })
  one.start()
  // Alone, the liar could be asked for more: it comes when the other one is there, which lets it go first.
  await one.until('the good peer to be asked', () => good.asked.length > 0)
  const liar = await one.seeder('liar', { piece: corrupted })
  one.joins(liar)
  await one.until('the liar to be named', () => one.notices.length > 0)
  for (const answer of waiting) answer()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
  expect(liar.asked.length).toBeLessThanOrEqual(3)
})

describe('a peer that sends bad bytes', () => {
  test('is named once, is never asked again, and the file comes from the next one', async () => {
    const one = new OneDownload(sizeBytes)
    const bad = await one.seeder('bad', { piece: corrupted })
    one.start()
    await one.until('the peer to be named', () => one.notices.length > 0)
    expect(one.notices).toEqual([
      expect.stringMatching(/^bad@127\.0\.0\.1:\d+ sent a bad piece \d of file\.bin; it is not asked again$/),
    ])
    const { connections, asked } = bad
    // Known again as a peer, as after a reconnect: still nothing is asked of it.
    one.joins(bad)
    const good = await one.seeder('good')
    one.joins(good)
    await one.untilComplete()
    expectWhole(one)
    expect(one.piecesByUser).toEqual({ good: pieces })
    expect(bad.connections).toBe(connections)
    expect(bad.asked).toEqual(asked)
    expect(one.notices).toHaveLength(1)
  })

  test('loses what it would have sent, but not what it sent well before', async () => {
    const one = new OneDownload(sizeBytes)
    await one.seeder('bad', {
      piece: (reply) => (reply.before < 3 ? reply.send(reply.right) : corrupted(reply)),
    })
    one.start()
    await one.until('the peer to be named', () => one.notices.length > 0)
    one.joins(await one.seeder('good'))
    await one.untilComplete()
    expectWhole(one)
    expect(one.piecesByUser).toEqual({ bad: 3, good: 5 })
  })

  test('cannot pass a piece that has the right SHA-1 and the wrong content', async () => {
    // Two published prefixes with one SHA-1 (shattered.io): with the same bytes behind them, the whole
    // pieces collide as well. Only the second hash tells them apart.
    const collide = (name: string): Buffer =>
      readFileSync(new URL(`../../data/sha1-collision/${name}.bin`, import.meta.url))
    const one = new OneDownload(collide('a').length, collide('a'))
    expect(hashPiece(collide('a')).subarray(0, 20)).toEqual(hashPiece(collide('b')).subarray(0, 20))
    await one.seeder('forger', { piece: ({ send }) => send(collide('b')) })
    one.start()
    await one.until('the forger to be named', () => one.notices.length > 0)
    expect(one.notices[0]).toMatch(/^forger@.* sent a bad piece 0/)
    one.joins(await one.seeder('good'))
    await one.untilComplete()
    expect(one.isIdentical()).toBe(true)
  })
})

describe('a download by itself', () => {
  test('takes pieces from all its peers when one is slow, each piece once', async () => {
    const one = new OneDownload(sizeBytes)
    const users = ['a', 'b', 'c']
    // None answers before each was asked.
    const asked = new Set<string>()
    const held: (() => void)[] = []
    const piece =
      (user: string) =>
      ({ right, send }: PieceReply): void => {
        asked.add(user)
        held.push(() => send(right))
        if (asked.size === users.length) for (const answer of held.splice(0)) answer()
      }
    const seeders = await Promise.all(users.map((user) => one.seeder(user, { piece: piece(user) })))
    one.start()
    await one.untilComplete()
    expectWhole(one)
    expect(seeders.every((seeder) => seeder.asked.length > 0)).toBe(true)
  })

  test('without a peer that has the rest waits, and goes on when one comes', async () => {
    const one = new OneDownload(sizeBytes)
    const half = new Bitfield(pieces)
    for (const index of [0, 2, 5]) half.set(index)
    const partial = await one.seeder('partial', { bitfield: half.toBase64() })
    one.start()
    await one.until('three pieces', () => one.had.length === 3)
    expect([...one.had].sort(ascending)).toEqual([0, 2, 5])
    expect([...partial.asked].sort(ascending)).toEqual([0, 2, 5])
    one.joins(await one.seeder('good'))
    await one.untilComplete()
    expectWhole(one)
    expect(one.piecesByUser).toEqual({ partial: 3, good: 5 })
  })

  test('does not begin again while it is being published, whoever joins in that moment', async () => {
    // Between the last piece and the final name there is no swarm. A peer that joined then made the
    // download begin a second time: it opened the part file anew, lost sight of the first handle, and
    // could leave an empty part file beside the finished one.
    const one = new OneDownload(sizeBytes)
    const seeder = await one.seeder('good')
    one.onHave = () => {
      if (one.had.length < pieces) return
      const join = (): void => {
        if (one.download.state !== 'running') return
        one.joins(seeder)
        setImmediate(join)
      }
      setImmediate(join)
    }
    const opened: number[] = []
    one.onServing = () => opened.push(opened.length)
    one.start()
    await one.untilComplete()
    expectWhole(one)
    expect(opened).toEqual([0])
  })
})
