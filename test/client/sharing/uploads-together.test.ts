import { expect, test } from 'vitest'
import type { Upload } from '../../../src/client/sharing/served-peer.ts'
import { uploadsTogether } from '../../../src/client/sharing/uploads-together.ts'
import { pieceBytes } from '../../../src/common/limits.ts'

const ann: Upload = {
  fileId: 'f',
  group: 'g',
  key: 'k',
  user: 'ann',
  peer: 'ann@192.0.2.1',
  way: 'direct',
  sentBytes: 2.5 * pieceBytes,
  bytesPerSecond: 100,
  pieceCount: 10,
  pieces: 2,
}

test('what a client fetches of a file on several connections is one upload', () => {
  const sum = { ...ann, sentBytes: 7.5 * pieceBytes, bytesPerSecond: 300, pieces: 7 }
  expect(uploadsTogether([ann, ann, ann])).toEqual([sum])
  // One connection knows more: what the client has from elsewhere.
  expect(uploadsTogether([{ ...ann, pieces: 8 }, ann])[0]?.pieces).toBe(8)
  expect(uploadsTogether(Array.from({ length: 8 }, () => ann))[0]?.pieces).toBe(10)
})

test('other files, groups and clients are others, in their order', () => {
  const others = [ann, { ...ann, key: 'l' }, { ...ann, fileId: 'e' }, { ...ann, group: 'h' }]
  expect(uploadsTogether(others)).toEqual(others)
})
