import { expect, test } from 'vitest'
import { Picker } from '../../../src/client/downloading/picker.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { pieceCountMax } from '../../../src/common/limits.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'

function bitfield(length: number, indices: readonly number[]): Bitfield {
  const field = new Bitfield(length)
  for (const index of indices) field.set(index)
  return field
}

/** A picker of a file of so many pieces; what peers have is written as lists. */
function pickerOf(
  length: number,
  peers: Record<string, readonly number[] | 'all'>,
  { have = [], seed = 1 }: { have?: readonly number[]; seed?: number } = {},
): Picker {
  const picker = new Picker(bitfield(length, have), seededRandom(seed))
  for (const [peer, has] of Object.entries(peers)) {
    picker.onPeer(peer, has === 'all' ? Bitfield.full(length) : bitfield(length, has))
  }
  return picker
}

/** Everything that the peer would be asked for now, in this order. */
function picksFor(picker: Picker, peer: string, nowMs = 0): number[] {
  const picks: number[] = []
  for (let pick = picker.pickFor(peer, nowMs); pick !== undefined; pick = picker.pickFor(peer, nowMs)) {
    picks.push(pick)
  }
  return picks
}

test('asksForTheRarestPieceFirst', () => {
  const picker = pickerOf(4, { seed: 'all', a: [0, 1, 2], b: [0, 1], c: [0] })
  expect(picksFor(picker, 'seed')).toEqual([3, 2, 1, 0])
})

test('nobody is asked for what comes of what is here, until it turns out not to', () => {
  const picker = new Picker(new Bitfield(4), seededRandom(1), { fromHere: [0, 2] })
  picker.onPeer('seed', Bitfield.full(4))
  expect([picker.missingCount, picker.isMissing(0), picker.standingOf(0)]).toEqual([4, true, 'under-way'])
  expect(picker.onOffer().toBase64()).toBe(bitfield(4, [1, 3]).toBase64())
  expect(picksFor(picker, 'seed').toSorted((a, b) => a - b)).toEqual([1, 3])
  picker.onVerified(0)
  picker.onNotHere(0)
  expect(picksFor(picker, 'seed')).toEqual([])
  picker.onNotHere(2)
  expect(picksFor(picker, 'seed')).toEqual([2])
})

test('a piece that is found here is taken unless somebody was asked for it', () => {
  const picker = pickerOf(2, { seed: 'all', a: [0] })
  expect(picker.pickFor('seed', 0)).toBe(1)
  expect([picker.takeHere(1), picker.takeHere(0), picker.takeHere(0)]).toEqual([false, true, false])
  expect([picksFor(picker, 'a'), picker.hasOnOffer('a')]).toEqual([[], false])
  picker.onVerified(0)
  expect([picker.takeHere(0), picker.missingCount]).toEqual([false, 1])
})

test('rarity follows what peers come to have, to lack and to take with them', () => {
  const picker = pickerOf(3, { seed: 'all', a: [0], b: [1], c: [2] })
  picker.onHave('a', 1)
  picker.onHave('a', 2)
  picker.onHave('b', 2)
  // 0: seed, a. 1: seed, a, b. 2: seed, a, b, c.
  picker.onPeerGone('c')
  picker.onLacks('b', 2)
  picker.onLacks('a', 2)
  // 0: seed, a. 1: seed, a, b. 2: seed.
  expect(picksFor(picker, 'seed')).toEqual([2, 0, 1])
})

test('where only some pieces are wanted it asks for those alone, and offers and misses no others', () => {
  const picker = new Picker(bitfield(5, [1]), seededRandom(1), { wanted: bitfield(5, [0, 1, 3]) })
  picker.onPeer('seed', Bitfield.full(5))
  expect(picker.missingCount).toBe(2)
  expect(picker.onOffer().toBase64()).toBe(bitfield(5, [0, 3]).toBase64())
  // A peer that chooses by itself may send another one all the same.
  picker.onBegun('seed', 4, 10)
  expect([picker.isOnOffer(4), picker.isMissing(4)]).toEqual([false, false])
  picker.onGivenUp('seed', 4)
  expect(new Set(picksFor(picker, 'seed'))).toEqual(new Set([0, 3]))
})

test('among pieces that are equally rare each is as likely as any other', () => {
  const counts = Array.from({ length: 10 }, () => 0)
  for (let seed = 0; seed < 2000; seed++) {
    const pick = pickerOf(10, { seed: 'all' }, { seed }).pickFor('seed', 0)
    counts[pick ?? -1]!++
  }
  for (const count of counts) expect(count, `of 200 expected: ${counts.join(' ')}`).toBeGreaterThan(140)
})

test('two downloaders of one seeder soon hold different pieces', () => {
  const [a, b] = [1, 2].map((seed) => pickerOf(128, { seed: 'all' }, { seed }))
  const first = Array.from({ length: 16 }, () => a?.pickFor('seed', 0))
  const second = Array.from({ length: 16 }, () => b?.pickFor('seed', 0))
  expect(first.filter((index) => second.includes(index)).length).toBeLessThan(6)
})

test('the same seed and the same facts give the same picks', () => {
  const runs = [7, 7].map((seed) => picksFor(pickerOf(64, { seed: 'all', a: [1, 2, 3] }, { seed }), 'seed'))
  expect(runs[0]).toEqual(runs[1])
})

test('never asks for what is there already', () => {
  const picker = pickerOf(4, { seed: 'all' }, { have: [0, 2] })
  expect(picker.missingCount).toBe(2)
  expect(new Set(picksFor(picker, 'seed'))).toEqual(new Set([1, 3]))
})

test('never asks a peer for a piece that it does not have', () => {
  const picker = pickerOf(4, { a: [2] })
  expect(picksFor(picker, 'a')).toEqual([2])
  picker.onHave('a', 0)
  expect(picksFor(picker, 'a')).toEqual([0])
})

test('never asks a peer for the same piece twice at once', () => {
  const picker = pickerOf(2, { seed: 'all' })
  picker.onPace('seed', 1)
  expect(picksFor(picker, 'seed')).toHaveLength(2)
  expect(picker.pickFor('seed', 1_000_000)).toBeUndefined()
})

test('a peer that nobody has told of is asked nothing', () => {
  const picker = pickerOf(2, { a: 'all' })
  for (const tell of [
    () => picker.onHave('stranger', 0),
    () => picker.onLacks('stranger', 0),
    () => picker.onPace('stranger', 1),
    () => picker.onGivenUp('stranger', 0),
    () => picker.onPeerGone('stranger'),
  ])
    tell()
  expect(picker.pickFor('stranger', 0)).toBeUndefined()
  expect(picksFor(picker, 'a')).toHaveLength(2)
})

test('onlyRequestsDupesDuringEndgame', () => {
  const picker = pickerOf(3, { slow: 'all', fast: 'all' })
  picker.onPace('slow', 100_000)
  picker.onPace('fast', 1)
  const slow = picker.pickFor('slow', 0)
  const picks = [picker.pickFor('fast', 0), picker.pickFor('fast', 0)]
  expect(picks).not.toContain(slow)
  // Everything is asked of somebody now: from here on a duplicate may be worth it.
  expect(picker.pickFor('fast', 0)).toBe(slow)
})

test('in end game a duplicate must promise to be more than twice as soon', () => {
  for (const [slowMs, expected] of [
    [199, undefined],
    [200, undefined],
    [201, 0],
  ] as const) {
    const picker = pickerOf(1, { slow: 'all', fast: 'all' })
    picker.onPace('slow', slowMs)
    picker.onPace('fast', 100)
    expect(picker.pickFor('slow', 0)).toBe(0)
    expect(picker.pickFor('fast', 0)).toBe(expected)
  }
})

test('in end game the piece that is expected last is taken over first', () => {
  const picker = pickerOf(3, { slow: 'all', fast: 'all' })
  picker.onPace('slow', 1000)
  picker.onPace('fast', 10)
  const queue = picksFor(picker, 'slow')
  expect(picksFor(picker, 'fast')).toEqual(queue.toReversed())
})

test('in end game a piece is asked of two peers, never of three', () => {
  const picker = pickerOf(1, { slow: 'all', fast: 'all', faster: 'all' })
  picker.onPace('slow', 1_000_000)
  picker.onPace('fast', 1000)
  picker.onPace('faster', 1)
  expect(['slow', 'fast', 'faster'].map((peer) => picker.pickFor(peer, 0))).toEqual([0, 0, undefined])
})

// A fast peer that joined at the last piece was asked for nothing, and the slow one took 46 s more.
test('a peer that has delivered nothing yet takes over one piece of a slow one, and no more', () => {
  const picker = pickerOf(3, { slow: 'all', unknown: 'all' })
  picker.onPace('slow', 40_000)
  expect(picksFor(picker, 'slow')).toHaveLength(3)
  expect(picksFor(picker, 'unknown')).toHaveLength(1)
})

test('a peer that has delivered nothing yet takes over nothing that will come soon', () => {
  const picker = pickerOf(1, { steady: 'all', unknown: 'all' })
  picker.onPace('steady', 1000)
  expect(picker.pickFor('steady', 0)).toBe(0)
  expect(picker.pickFor('unknown', 0)).toBeUndefined()
})

test('what late peers were asked for is asked of others, after all that nobody was asked for', () => {
  const picker = pickerOf(3, { late: 'all', later: 'all', good: 'all' })
  const held = picker.pickFor('late', 0)
  picker.onLate('late')
  expect(picker.isOnOffer(held ?? -1)).toBe(false)
  const picks = picksFor(picker, 'good')
  expect(picks).toHaveLength(3)
  expect(picks.at(-1)).toBe(held)
  // And again, when that one is late as well.
  picker.onLate('good')
  expect(picksFor(picker, 'later')).toContain(held)
  expect(picker.onVerified(held ?? -1)).toEqual(['late', 'later', 'good'])
})

test('a late peer that delivers again keeps what it was asked for', () => {
  const picker = pickerOf(1, { slow: 'all', other: 'all' })
  expect(picker.pickFor('slow', 0)).toBe(0)
  picker.onLate('slow')
  picker.onOnTime('slow')
  expect(picker.pickFor('other', 0)).toBeUndefined()
})

test('a peer that is overdue is expected later and later, so that others take over', () => {
  const picker = pickerOf(1, { stalled: 'all', steady: 'all' })
  picker.onPace('stalled', 100)
  picker.onPace('steady', 100)
  expect(picker.pickFor('stalled', 0)).toBe(0)
  expect(picker.pickFor('steady', 0)).toBeUndefined()
  expect(picker.pickFor('steady', 120)).toBeUndefined()
  expect(picker.pickFor('steady', 200)).toBeUndefined()
  expect(picker.pickFor('steady', 201)).toBe(0)
})

test('what a peer was asked for is on offer again when it leaves', () => {
  const picker = pickerOf(3, { a: 'all', b: 'all' })
  const asked = picksFor(picker, 'a')
  expect(picker.hasOnOffer('b')).toBe(false)
  picker.onPeerGone('a')
  expect(new Set(picksFor(picker, 'b'))).toEqual(new Set(asked))
})

test('what a peer gave up is on offer again, for itself too', () => {
  const picker = pickerOf(1, { a: 'all' })
  expect(picker.pickFor('a', 0)).toBe(0)
  picker.onGivenUp('a', 0)
  picker.onGivenUp('a', 0)
  expect(picker.pickFor('a', 0)).toBe(0)
})

test('a peer that lied about having a piece is not asked for it again, others are', () => {
  const picker = pickerOf(1, { liar: 'all', b: 'all' })
  expect(picker.pickFor('liar', 0)).toBe(0)
  picker.onLacks('liar', 0)
  expect(picker.pickFor('liar', 0)).toBeUndefined()
  expect(picker.pickFor('b', 0)).toBe(0)
})

test('a duplicate that one peer gives up stays asked of the other', () => {
  const picker = pickerOf(1, { slow: 'all', fast: 'all', third: 'all' })
  picker.onPace('slow', 100_000)
  picker.onPace('fast', 10)
  picker.onPace('third', 99_000)
  picker.pickFor('slow', 0)
  picker.pickFor('fast', 0)
  picker.onPeerGone('fast')
  expect(picker.pickFor('third', 0)).toBeUndefined()
  picker.onPeerGone('slow')
  expect(picker.pickFor('third', 0)).toBe(0)
})

test('onVerified names those who are asked in vain, and the piece is never asked for again', () => {
  const picker = pickerOf(1, { slow: 'all', fast: 'all', third: 'all' })
  picker.onPace('slow', 100_000)
  picker.onPace('fast', 10)
  picker.pickFor('slow', 0)
  picker.pickFor('fast', 0)
  picker.onGivenUp('fast', 0)
  expect(picker.onVerified(0)).toEqual(['slow'])
  expect([picker.missingCount, picker.isMissing(0)]).toEqual([0, false])
  picker.onGivenUp('slow', 0)
  picker.onPeerGone('slow')
  expect(picker.pickFor('third', 0)).toBeUndefined()
})

test('a peer that comes back is known by what it has now', () => {
  const picker = pickerOf(2, { a: 'all', b: [0] })
  picksFor(picker, 'a')
  picker.onPeer('a', bitfield(2, [1]))
  expect(picksFor(picker, 'a')).toEqual([1])
  expect(picksFor(picker, 'b')).toEqual([0])
})

/** A bitfield that counts how often it is looked at. */
class CountingBitfield extends Bitfield {
  looks = 0

  override has(index: number): boolean {
    this.looks++
    return super.has(index)
  }
}

/** Downloads the largest file from 8 peers; how often a bitfield was looked at, a piece. */
function looksPerPiece(hasPiece: (peer: number) => boolean): number {
  const picker = new Picker(new Bitfield(pieceCountMax), seededRandom(1))
  const fields = Array.from({ length: 8 }, () => new CountingBitfield(pieceCountMax))
  for (const [peer, field] of fields.entries()) {
    for (let index = 0; index < pieceCountMax; index++) if (hasPiece(peer)) field.set(index)
    picker.onPeer(`p${peer}`, field)
    field.looks = 0
  }
  for (let round = 0; picker.missingCount > 0; round++) {
    const peer = `p${round % 8}`
    const index = picker.pickFor(peer, round)
    if (index === undefined) continue
    picker.onVerified(index)
    picker.onGivenUp(peer, index)
    if (round % 4 === 0) picker.onHave(`p${(round + 3) % 8}`, index)
  }
  return fields.reduce((sum, field) => sum + field.looks, 0) / pieceCountMax
}

test('the largest file from seeders costs one look a piece', () => {
  expect(looksPerPiece(() => true)).toBeLessThan(1.5)
})

test('the largest file costs a bounded number of looks a piece where most peers have half of it', () => {
  const random = seededRandom(2)
  // 97 today: who has half looks past the rarest pieces, that only the two seeders have, at every pick.
  expect(looksPerPiece((peer) => peer < 2 || random() < 0.5)).toBeLessThan(150)
})

test('a peer with nothing to offer costs at most one look a missing piece', () => {
  const picker = new Picker(new Bitfield(1000), seededRandom(1))
  const field = new CountingBitfield(1000)
  picker.onPeer('a', field)
  field.looks = 0
  expect(picker.pickFor('a', 0)).toBeUndefined()
  expect(field.looks).toBeLessThanOrEqual(1000)
})

test('a piece that a peer has begun to send is asked of nobody else', () => {
  const picker = pickerOf(3, { a: 'all', b: 'all' })
  picker.onBegun('a', 1, 100)
  expect(new Set(picksFor(picker, 'b'))).toEqual(new Set([0, 2]))
  expect(picker.onVerified(1)).toEqual(['a'])
})

test('what is on offer are the missing pieces that nobody was asked for', () => {
  const picker = pickerOf(5, { a: 'all' }, { have: [0] })
  picker.onBegun('a', 1, 100)
  const offered = picker.onOffer()
  expect([0, 1, 2, 3, 4].filter((index) => offered.has(index))).toEqual([2, 3, 4])
  expect([0, 1, 2].map((index) => picker.isOnOffer(index))).toEqual([false, false, true])
})

test('a peer that chooses itself is asked only for what comes back, until nothing is on offer', () => {
  const picker = pickerOf(3, { a: 'all', b: 'all' })
  expect(picker.pickLeftOverFor('b', 0)).toBeUndefined()
  picker.onBegun('a', 1, 100)
  picker.onGivenUp('a', 1)
  expect(picker.pickLeftOverFor('b', 0)).toBe(1)
  expect(picker.pickLeftOverFor('b', 0)).toBeUndefined()
})

test('a peer that chooses itself takes over late pieces only in end game', () => {
  const picker = pickerOf(2, { a: 'all', b: 'all' })
  picker.onPace('b', 10)
  picker.onBegun('a', 0, 1000)
  expect(picker.pickLeftOverFor('b', 0)).toBeUndefined()
  picker.onBegun('a', 1, 2000)
  expect(picker.pickLeftOverFor('b', 0)).toBe(1)
})

test('a piece that came back and was got after all does not come back again', () => {
  const picker = pickerOf(2, { a: 'all', b: 'all' })
  picker.onBegun('a', 0, 100)
  picker.onGivenUp('a', 0)
  picker.onVerified(0)
  expect(picker.pickLeftOverFor('b', 0)).toBeUndefined()
})

test('a piece that peers consider taken, and that nobody is known to have any more, is wanted anew once', () => {
  const picker = new Picker(new Bitfield(2), () => 0)
  picker.onPeer('a', Bitfield.full(2))
  picker.onPeer('b', new Bitfield(2))
  expect(picker.wantsAnew()).toBe(false)
  picker.onBegun('a', 1, 100)
  expect(picker.wantsAnew()).toBe(false)
  picker.onPeerGone('a')
  expect(picker.wantsAnew()).toBe(true)
  expect(picker.onOffer().has(1)).toBe(true)
  expect(picker.wantsAnew()).toBe(false)
})

test('a piece that came to nothing is not wanted anew while a peer that has it can be asked for it', () => {
  const picker = new Picker(new Bitfield(2), () => 0)
  for (const peer of ['a', 'b']) picker.onPeer(peer, Bitfield.full(2))
  picker.onBegun('a', 1, 100)
  picker.onPeerGone('a')
  expect(picker.wantsAnew()).toBe(false)
  expect(picker.pickLeftOverFor('b', 0)).toBe(1)
})
