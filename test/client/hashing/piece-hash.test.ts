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
  loadHashBoth,
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
    writeFileSync(path, 'exports.hashPiece = (piece, hashes) => hashes.fill(7)')
    expect(loadHashBoth(path)).toBeUndefined()
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
