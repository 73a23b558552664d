import { expect, test } from 'vitest'
import { SentFiles } from '../../../src/client/sharing/sent-files.ts'
import { pieceBytes } from '../../../src/common/limits.ts'

test('bytes count for the file whose answer has begun, and a manifest for none', () => {
  const sent = new SentFiles()
  sent.onAsked(1, 'a')
  sent.onAsked(2, 'b')
  sent.onBegun(2, 0)
  sent.onSent(pieceBytes, 1000)
  sent.onBegun(1, 1000)
  sent.onSent(pieceBytes / 2, 2000)
  sent.onBegun(3, 2000)
  sent.onSent(1_000_000, 2000)
  expect(sent.recent(2000).map(({ fileId, sentBytes }) => [fileId, sentBytes])).toEqual([
    ['b', pieceBytes],
    ['a', pieceBytes / 2],
  ])
  expect([sent.piecesOf('a'), sent.piecesOf('b'), sent.piecesOf('c')]).toEqual([0, 1, 0])
})

test('a steady line has its rate, also when pieces are slow', () => {
  const sent = new SentFiles()
  sent.onAsked(1, 'a')
  sent.onBegun(1, 0)
  for (let ms = 250; ms <= 10_000; ms += 250) sent.onSent(10_000, ms)
  expect(sent.recent(10_000)[0]?.bytesPerSecond).toBeCloseTo(40_000, -3)
})

test('who was sent nothing for a while fetches no more, but who waits does', () => {
  const sent = new SentFiles()
  sent.onAsked(1, 'a')
  sent.onBegun(1, 0)
  sent.onSent(5, 0)
  expect(sent.recent(9000)).toHaveLength(1)
  expect(sent.recent(11_000)).toEqual([])
  sent.onAsked(2, 'a')
  expect(sent.recent(11_000)).toHaveLength(1)
  sent.onRefused(2)
  expect(sent.recent(11_000)).toEqual([])
})
