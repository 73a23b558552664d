import { expect, test } from 'vitest'
import { FileDemands } from '../../../src/client/sharing/file-demands.ts'
import type { PieceSource } from '../../../src/client/sharing/piece-source.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { pieceCountMax } from '../../../src/common/limits.ts'
import { refuse } from '../../../src/common/refusal.ts'

/** A whole file of so many pieces. */
function source(fileId: string, pieceCount: number): PieceSource {
  const manifest = { fileId, pieceCount, sizeBytes: 0, bytes: Buffer.alloc(0), folder: undefined }
  return { manifest, have: Bitfield.full(pieceCount), read: async () => refuse('busy', 'not today') }
}

function wanting(pieceCount: number): string {
  return Bitfield.full(pieceCount).toBase64()
}

test('what the peers of one user may want at once is bounded, and another user has as much', () => {
  const demands = new FileDemands<{ owner: string }>()
  const peers = Array.from({ length: 6 }, () => ({ owner: 'greedy' }))
  const wants = (peer: { owner: string }, fileId: string): boolean =>
    demands.onWants('g', source(fileId, pieceCountMax), peer, wanting(pieceCountMax)).ok
  expect(peers.map((peer, index) => wants(peer, `f${index}`))).toEqual([true, true, true, true, false, false])
  expect(demands.find('g', 'f4')).toBeUndefined()
  // The same file again costs nothing more.
  expect(wants(peers[0]!, 'f0')).toBe(true)
  expect(wants({ owner: 'modest' }, 'f5')).toBe(true)
  demands.onPeerGone(peers[0]!)
  expect(wants(peers[4]!, 'f4')).toBe(true)
  demands.onWithdrawn('g', 'f1')
  expect([wants(peers[5]!, 'f6'), wants(peers[5]!, 'f7')]).toEqual([true, false])
})

test('the demand for a file is forgotten with the last peer that wanted something', () => {
  const demands = new FileDemands<{ owner: string; name: string }>()
  const [one, other] = ['one', 'other'].map((name) => ({ owner: 'ann', name }))
  for (const peer of [one!, other!]) demands.onWants('g', source('f', 8), peer, wanting(8))
  demands.onPeerGone(one!)
  expect(demands.find('g', 'f')?.pickFor(one!)).toBeUndefined()
  expect(demands.find('g', 'f')?.pickFor(other!)).toBeTypeOf('number')
  demands.onPeerGone(other!)
  expect(demands.find('g', 'f')).toBeUndefined()
})

test('a bitfield that does not fit the file is refused and counts for nothing', () => {
  const demands = new FileDemands<{ owner: string }>()
  const answer = demands.onWants('g', source('f', 8), { owner: 'ann' }, wanting(17))
  expect(answer).toMatchObject({ ok: false, refusal: { code: 'invalid-params' } })
  expect(demands.find('g', 'f')).toBeUndefined()
})
