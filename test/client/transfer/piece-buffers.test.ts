import { expect, test } from 'vitest'
import { returnPieceBuffer, takePieceBuffer } from '../../../src/client/transfer/piece-buffers.ts'
import { pieceBytes } from '../../../src/common/limits.ts'

test('nobody gets a buffer that somebody else holds', () => {
  const held = new Set(Array.from({ length: 100 }, takePieceBuffer))
  expect(held.size).toBe(100)
  for (const buffer of held) expect(buffer.length).toBe(pieceBytes)
})

test('no more than 16 MiB are kept for later', () => {
  const held = Array.from({ length: 100 }, takePieceBuffer)
  for (const buffer of held) returnPieceBuffer(buffer)
  const again = Array.from({ length: 100 }, takePieceBuffer)
  expect(again.filter((buffer) => held.includes(buffer)).length * pieceBytes).toBe(16 * 1024 * 1024)
})
