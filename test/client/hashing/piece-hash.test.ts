import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  hashOneByOne,
  hashPiece,
  hashPieces,
  loadHashBoth,
  loadSideBySide,
  verifyPiece,
  type HashBoth,
} from '../../../src/client/hashing/piece-hash.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { buildManifest } from '../../../src/common/manifest.ts'
import { pieceOf, sampleBytes } from '../sharing/sample-file.ts'
import { temporaryFolder } from '../temporary-folder.ts'

// The gate builds before it tests.
const compiledPath = fileURLToPath(new URL('../../../dist/client/piece-hash.node', import.meta.url))
const compiled = loadHashBoth(compiledPath)
const sideBySide = loadSideBySide(compiledPath)

/** Why there may be no compiled function here; undefined where there has to be one. */
function whyNone(): string | undefined {
  if (process.arch !== 'x64') return `it is not for ${process.arch}`
  if (spawnSync(process.env['CC'] ?? 'cc', ['--version']).status !== 0) return 'there is no C compiler here'
  if (process.platform === 'linux' && !/\bsha_ni\b/.test(readFileSync('/proc/cpuinfo', 'utf8')))
    return 'this processor has no instructions for SHA'
  return undefined
}

const why = compiled === undefined ? whyNone() : undefined
const implementations: [string, HashBoth | undefined][] = [
  ['by Node, one after the other', hashOneByOne],
  [`by the compiled function${why === undefined ? '' : ` (skipped: ${why})`}`, compiled],
]

describe.each(implementations)('hashing %s', (_, hashBoth = missing) => {
  const isSkipped = hashBoth === missing && why !== undefined
  const hashed = (bytes: Uint8Array): string => {
    const hashes = Buffer.alloc(52)
    hashBoth(bytes, hashes)
    return hashes.toString('hex')
  }

  // FIPS 180-2, appendices A and B: one block, and a message whose ending takes another.
  test.skipIf(isSkipped).each([
    [
      'abc',
      'a9993e364706816aba3e25717850c26c9cd0d89d',
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    ],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '84983e441c3bd26ebaae4aa1f95129e5e54670f1',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
  ])('gives %s the hashes of the standard', (text, sha1, sha256) => {
    expect(hashed(Buffer.from(text))).toBe(sha1 + sha256)
  })

  test.skipIf(isSkipped)('agrees with OpenSSL about any bytes', () => {
    const expected = (bytes: Uint8Array): string =>
      ['sha1', 'sha256'].map((name) => createHash(name).update(bytes).digest('hex')).join('')
    for (let length = 0; length <= 260; length++) {
      const bytes = sampleBytes(length)
      expect(hashed(bytes)).toBe(expected(bytes))
    }
    for (const length of [pieceBytes - 1, pieceBytes, pieceBytes + 1, 3 * pieceBytes]) {
      const bytes = sampleBytes(length)
      expect(hashed(bytes)).toBe(expected(bytes))
    }
    // Bytes that begin anywhere, as a piece within a larger buffer does.
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat({ max: 63 }), (content, at) => {
        const bytes = Buffer.concat([Buffer.alloc(at), content]).subarray(at)
        return hashed(bytes) === expected(bytes)
      }),
    )
  })

  test.skipIf(isSkipped)('takes bytes that threads share', () => {
    const bytes = sampleBytes(pieceBytes)
    const shared = new Uint8Array(new SharedArrayBuffer(pieceBytes + 7)).subarray(7)
    shared.set(bytes)
    expect(hashed(shared)).toBe(hashed(bytes))
  })
})

/** Whether this processor has AVX-512; undefined where the system does not say. */
const isWide =
  process.platform === 'linux' ? /\bavx512bw\b/.test(readFileSync('/proc/cpuinfo', 'utf8')) : undefined

describe.skipIf(sideBySide === undefined && why !== undefined)('hashing several at once', () => {
  const many = (pieces: readonly Uint8Array[], hashes: Uint8Array): void => {
    if (sideBySide === undefined) throw new Error('the compiled function is missing')
    sideBySide.hash(pieces, hashes)
  }
  const oneByOne = (pieces: readonly Uint8Array[]): Buffer => {
    const hashes = Buffer.alloc(52 * pieces.length)
    for (const [at, piece] of pieces.entries()) hashOneByOne(piece, hashes.subarray(52 * at))
    return hashes
  }

  test('agrees with Node about any number of pieces of any lengths, wherever they begin', () => {
    const piece = fc.record({
      length: fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(4096, 65_536, pieceBytes - 1, pieceBytes)),
      at: fc.nat({ max: 70 }),
      seed: fc.nat({ max: 255 }),
    })
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 16 }), (wanted) => {
        const pieces = wanted.map(({ length, at, seed }) => {
          const bytes = sampleBytes(length + at, seed).subarray(at)
          for (let n = 0; n < length; n += 97) bytes[n] = n * seed
          return bytes
        })
        const found = Buffer.alloc(52 * pieces.length)
        many(pieces, found)
        expect(found.equals(oneByOne(pieces))).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  test('agrees with Node about two pieces, whichever of them ends first, and however', () => {
    for (let first = 0; first <= 130; first++)
      for (const second of [0, 1, 55, 56, 63, 64, 65, 119, 120, 128, 4096]) {
        const pieces = [sampleBytes(first, first), sampleBytes(second, 7)]
        const found = Buffer.alloc(52 * 2)
        many(pieces, found)
        expect(found.equals(oneByOne(pieces))).toBe(true)
      }
  })

  test.skipIf(isWide !== true)('is made for sixteen with AVX-512 (skipped: this processor has none)', () => {
    expect(sideBySide).toMatchObject({ most: 16, worth: 8 })
  })

  test.skipIf(isWide !== false)('is made for two without AVX-512 (skipped: this processor has it)', () => {
    expect(sideBySide).toMatchObject({ most: 2, worth: 2 })
  })

  test('takes sixteen pieces that threads share, and writes nothing behind their hashes', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(16 * pieceBytes))
    for (let at = 0; at < 16; at++) shared.set(sampleBytes(pieceBytes, at + 1), at * pieceBytes)
    const pieces = Array.from({ length: 16 }, (_, at) =>
      shared.subarray(at * pieceBytes, (at + 1) * pieceBytes),
    )
    const found = Buffer.alloc(52 * 16 + 9, 1)
    many(pieces, found)
    expect(found.subarray(0, 52 * 16).equals(oneByOne(pieces))).toBe(true)
    expect(found.subarray(52 * 16).equals(Buffer.alloc(9, 1))).toBe(true)
  })

  test('what is not 1 to 16 pieces is not hashed', () => {
    const hashes = Buffer.alloc(52 * 17)
    const wrong: unknown[][] = [
      [],
      [[hashes]],
      [[], hashes],
      [hashes, hashes],
      [['text'], hashes],
      [[hashes, undefined], hashes],
      [Array.from({ length: 17 }, () => hashes), hashes],
      [[hashes, hashes], Buffer.alloc(103)],
    ]
    for (const values of wrong)
      expect(() => (many as (...all: unknown[]) => void)(...values)).toThrow(TypeError)
  })
})

test('pieces are hashed at once as they are one by one, however many there are', () => {
  for (const count of [1, 2, 3, 7, 8, 16]) {
    const pieces = Array.from({ length: count }, (_, at) => sampleBytes(1000 * at, at + 1))
    expect(hashPieces(pieces).equals(Buffer.concat(pieces.map(hashPiece)))).toBe(true)
  }
})

test.skipIf(why !== undefined && compiled === undefined)('what is not bytes is not hashed', () => {
  const hashBoth = (compiled ?? missing) as (...values: unknown[]) => void
  const hashes = Buffer.alloc(52)
  const wrong: unknown[][] = [
    [],
    [hashes],
    ['text', hashes],
    [null, hashes],
    [new DataView(hashes.buffer), hashes],
    [new Uint16Array(4), hashes],
    [Buffer.from('piece'), Buffer.alloc(51)],
    [Buffer.from('piece'), {}],
  ]
  for (const values of wrong) expect(() => hashBoth(...values)).toThrow(TypeError)
})

describe('a compiled function is not used', () => {
  test('when there is none', () => {
    expect(loadHashBoth(join(temporaryFolder(), 'none.node'))).toBeUndefined()
  })

  test('when the file is something else', () => {
    const path = join(temporaryFolder(), 'junk.node')
    writeFileSync(path, 'junk')
    expect(loadHashBoth(path)).toBeUndefined()
  })

  test('when the processor has no instructions for it', () => {
    const path = join(temporaryFolder(), 'unable.cjs')
    writeFileSync(path, '')
    expect(loadHashBoth(path)).toBeUndefined()
  })

  test('when it is wrong: pieces would be taken for bad, or bad ones for good', () => {
    const path = join(temporaryFolder(), 'wrong.cjs')
    writeFileSync(path, 'exports.hashPiece = exports.hashPieces = (piece, hashes) => hashes.fill(7)')
    expect([loadHashBoth(path), loadSideBySide(path)]).toEqual([undefined, undefined])
  })
  test('when it is right about the number of pieces that it is made for alone', () => {
    const path = join(temporaryFolder(), 'partly.cjs')
    const right = `const { hashPieces } = require(${JSON.stringify(compiledPath)})`
    const wrongForThree =
      '(pieces, hashes) => pieces.length === 3 ? hashes.fill(7) : hashPieces(pieces, hashes)'
    writeFileSync(path, `${right}\nexports.hashPieces = ${wrongForThree}\nexports.piecesAtOnce = 2`)
    expect(loadSideBySide(path)).toBeUndefined()
  })
})

test('a changed bit, a cut end or the piece next to it is not the piece', () => {
  const bytes = sampleBytes(2 * pieceBytes + 5)
  const [first, second, last] = [0, 1, 2].map((index) => pieceOf(bytes, index)) as [Buffer, Buffer, Buffer]
  const manifest = buildManifest(bytes.length, Buffer.concat([first, second, last].map(hashPiece)))
  expect(verifyPiece(manifest, 0, second)).toBe(false)
  expect(verifyPiece(manifest, 2, last.subarray(1))).toBe(false)
  const changed = Buffer.from(first)
  changed[pieceBytes - 1] = (changed[pieceBytes - 1] ?? 0) ^ 1
  expect(verifyPiece(manifest, 0, changed)).toBe(false)
  expect(verifyPiece(manifest, 0, first)).toBe(true)
})

test('two different pieces with one SHA-1 are told apart', () => {
  const [good, forged] = ['a', 'b'].map((name) =>
    Buffer.concat(
      [readFileSync(new URL(`../../data/sha1-collision/${name}.bin`, import.meta.url))],
      pieceBytes,
    ),
  ) as [Buffer, Buffer]
  const sha1 = (piece: Buffer): string => createHash('sha1').update(piece).digest('hex')
  expect(good.equals(forged)).toBe(false)
  expect(sha1(good)).toBe(sha1(forged))

  const manifest = buildManifest(pieceBytes, hashPiece(good))
  expect(verifyPiece(manifest, 0, good)).toBe(true)
  expect(verifyPiece(manifest, 0, forged)).toBe(false)
})

test('the SHA-1 must match too', () => {
  const piece = Buffer.alloc(1000, 1)
  const hashes = Buffer.concat([hashPiece(Buffer.alloc(1)).subarray(0, 20), hashPiece(piece).subarray(20)])
  expect(verifyPiece(buildManifest(1000, hashes), 0, piece)).toBe(false)
})

function missing(): never {
  throw new Error('the build made no compiled function, although it could have')
}
