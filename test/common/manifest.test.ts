import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { hashPiece, verifyPiece } from '../../src/client/hashing/piece-hash.ts'
import { manifestBytesMax, pieceBytes, pieceCountMax } from '../../src/common/limits.ts'
import {
  buildFolderManifest,
  buildManifest,
  contentBytes,
  hashesOfPiece,
  lengthOfPiece,
  manifestLength,
  offsetOfPiece,
  parseManifest,
  type Manifest,
} from '../../src/common/manifest.ts'
import { pieceCount, pieceLength, pieceOffset } from '../../src/common/pieces.ts'

/** The pieces of a file of this size, and its manifest. */
function fileOf(sizeBytes: number, fill = 7): { pieces: Buffer[]; manifest: Manifest } {
  const pieces = Array.from({ length: pieceCount(sizeBytes) }, (_, index) =>
    Buffer.alloc(pieceLength(sizeBytes, index), fill + index),
  )
  return { pieces, manifest: buildManifest(sizeBytes, Buffer.concat(pieces.map(hashPiece))) }
}

test.each([
  [0, 0],
  [1, 1],
  [pieceBytes - 1, 1],
  [pieceBytes, 1],
  [pieceBytes + 1, 2],
  [5 * pieceBytes + 12_345, 6],
])('a file of %i bytes has %i pieces, and its manifest survives the journey', (sizeBytes, count) => {
  const { pieces, manifest } = fileOf(sizeBytes)
  expect(manifest.pieceCount).toBe(count)
  expect(manifest.bytes).toHaveLength(manifestLength(sizeBytes))
  const read = parseManifest(Buffer.from(manifest.bytes))
  expect(read).toEqual(manifest)
  expect(pieces.every((piece, index) => read !== undefined && verifyPiece(read, index, piece))).toBe(true)
  expect(manifest.fileId).toBe(createHash('sha256').update(manifest.bytes).digest('hex'))
})

test('the pieces of any file lie end to end and cover it', () => {
  fc.assert(
    fc.property(fc.nat({ max: 2 ** 40 }), (sizeBytes) => {
      const last = pieceCount(sizeBytes) - 1
      if (last < 0) return sizeBytes === 0
      const length = pieceLength(sizeBytes, last)
      return length > 0 && length <= pieceBytes && pieceOffset(last) + length === sizeBytes
    }),
  )
})

test('a manifest that is cut, too long, or from another format is none', () => {
  const { bytes } = fileOf(2 * pieceBytes).manifest
  for (let length = 0; length < bytes.length; length++) {
    expect(parseManifest(bytes.subarray(0, length))).toBeUndefined()
  }
  expect(parseManifest(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeUndefined()
  expect(parseManifest(Buffer.concat([Buffer.from('CTM2'), bytes.subarray(4)]))).toBeUndefined()
  expect(parseManifest(Buffer.from('d8:announce'.padEnd(64, 'x')))).toBeUndefined()
})

test('a manifest that claims an impossible size is none, and costs nothing', () => {
  for (const size of [2n ** 63n, 2n ** 64n - 1n, BigInt(pieceCountMax) * BigInt(pieceBytes) + 1n]) {
    const { bytes } = fileOf(pieceBytes).manifest
    bytes.writeBigUInt64BE(size, 4)
    expect(parseManifest(bytes)).toBeUndefined()
  }
})

test('the manifest of the largest file fits its bound', () => {
  expect(manifestLength(pieceCountMax * pieceBytes)).toBeLessThanOrEqual(manifestBytesMax)
})

test('another size is another file, even with the same pieces', () => {
  const piece = hashPiece(Buffer.alloc(10))
  expect(buildManifest(10, piece).fileId).not.toBe(buildManifest(11, piece).fileId)
})

test('a manifest takes one hash pair a piece, no more and no fewer', () => {
  expect(() => buildManifest(pieceBytes + 1, hashPiece(Buffer.alloc(1)))).toThrow(RangeError)
  expect(() => buildManifest(0, hashPiece(Buffer.alloc(1)))).toThrow(RangeError)
})

/** A folder with a tree of 600,000 bytes, and two pieces of files. */
function folderManifest(): Manifest {
  const lengths = Uint32Array.of(pieceBytes, 600_000 - pieceBytes, 70_000, 9)
  const hashes = Buffer.concat(
    Array.from({ length: 4 }, (_, index) => hashPiece(Buffer.alloc(lengths[index] ?? 0, index))),
  )
  return buildFolderManifest({ sizeBytes: 70_009, files: 12, treeBytes: 600_000, lengths, hashes })
}

test('the manifest of a folder says what its tree and its pieces are, and survives the journey', () => {
  const manifest = folderManifest()
  expect(parseManifest(Buffer.from(manifest.bytes))).toEqual(manifest)
  expect(manifest).toMatchObject({
    sizeBytes: 70_009,
    pieceCount: 4,
    folder: { files: 12, treeBytes: 600_000 },
  })
  expect(contentBytes(manifest)).toBe(670_009)
  expect([0, 1, 2, 3].map((index) => lengthOfPiece(manifest, index))).toEqual([
    pieceBytes,
    600_000 - pieceBytes,
    70_000,
    9,
  ])
  expect([0, 1, 2, 3].map((index) => offsetOfPiece(manifest, index))).toEqual([
    0,
    pieceBytes,
    600_000,
    670_000,
  ])
  expect(verifyPiece(manifest, 2, Buffer.alloc(70_000, 2))).toBe(true)
  expect(hashesOfPiece(manifest, 3)).toEqual(hashPiece(Buffer.alloc(9, 3)))
})

test.each([
  ['a size that is not that of its pieces', 11],
  ['more files than there may be', 12],
  ['a tree that does not end with a piece', 19],
  ['a piece without bytes', 20 + 3 * 56 + 3],
])('the manifest of a folder with %s is none', (_what, at) => {
  const bytes = Buffer.from(folderManifest().bytes)
  bytes[at] = (bytes[at] ?? 0) ^ 9
  expect(parseManifest(bytes)).toBeUndefined()
})

test('no bytes make the manifest of a folder throw, or one that is longer than they are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(), fc.nat({ max: 255 }), (random, place, byte) => {
      const changed = Buffer.from(folderManifest().bytes)
      changed[place % changed.length] = byte
      for (const bytes of [changed, Buffer.concat([Buffer.from('CTM2'), random])]) {
        const manifest = parseManifest(bytes)
        if (manifest !== undefined) expect(manifest.pieceCount * 56 + 20).toBe(bytes.length)
      }
    }),
    { numRuns: 1000 },
  )
})
