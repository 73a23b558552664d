// Stretching passwords, by the compiled function and by Node.

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkedStretch,
  loadStretch,
  stretch,
  stretchByNode,
  type Iterate,
} from '../../src/common/security/stretching.ts'
import { temporaryFolder } from '../client/temporary-folder.ts'

// The gate builds before it tests.
const compiledPath = fileURLToPath(new URL('../../dist/client/stretching.node', import.meta.url))
const compiled = loadStretch(compiledPath)

/** Why there may be no compiled function here; undefined where there has to be one. */
const whyNone =
  spawnSync(process.env['CC'] ?? 'cc', ['--version']).status === 0 ? undefined : 'there is no C compiler here'
const isSkipped = compiled === undefined && whyNone !== undefined

/** Fails where the build should have compiled it. */
const byC: typeof stretch = (...given) => {
  if (compiled === undefined) throw new Error('the compiled function is missing or wrong')
  return compiled(...given)
}

describe.each([
  ['by Node', stretchByNode, false],
  [`by the compiled function${isSkipped ? ` (skipped: ${whyNone})` : ''}`, byC, isSkipped],
])('stretching %s', (_, stretchBy, skips) => {
  // RFC 7914, 11: the first half of each key.
  test.skipIf(skips).each([
    ['passwd', 'salt', 1, '55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc'],
    ['Password', 'NaCl', 80_000, '4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56'],
  ])('%s with %s in %i iterations gives the key of the standard', async (password, salt, iterations, key) => {
    expect((await stretchBy(password, Buffer.from(salt), iterations)).toString('hex')).toBe(key)
  })
})

describe.skipIf(isSkipped)('the compiled function', () => {
  test('agrees with Node about passwords and salts of any length', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom('x'.repeat(64), 'x'.repeat(65)),
    )
    await fc.assert(
      fc.asyncProperty(
        text,
        fc.uint8Array({ maxLength: 100 }),
        fc.integer({ min: 1, max: 20 }),
        async (...given) => (await byC(...given)).equals(await stretchByNode(...given)),
      ),
      { numRuns: 40 },
    )
  })

  test('stretches many passwords at once, each for itself', async () => {
    const passwords = Array.from({ length: 20 }, (_, n) => `password ${n}`)
    const salt = Buffer.from('salt')
    const keys = await Promise.all(passwords.map((password) => byC(password, salt, 2000)))
    const expected = await Promise.all(passwords.map((password) => stretchByNode(password, salt, 2000)))
    expect(keys).toEqual(expected)
  })

  test('takes nothing but a key of 64 bytes, 32 bytes, and a number of iterations', () => {
    const { stretch: iterate } = createRequire(import.meta.url)(compiledPath) as {
      stretch: (...given: unknown[]) => unknown
    }
    const [key, first] = [Buffer.alloc(64), Buffer.alloc(32)]
    const wrong: unknown[][] = [
      [],
      [key, first],
      [key, first, 0],
      [key, first, 'many'],
      [key.subarray(1), first, 1],
      [key, Buffer.alloc(33), 1],
      ['key', first, 1],
      [new Uint16Array(64), first, 1],
      [new DataView(key.buffer), first, 1],
    ]
    for (const given of wrong) expect(() => iterate(...given)).toThrow(TypeError)
  })
})

const given = ['password', Buffer.from('salt'), 3] as const

test('a compiled function that gives another key is not used', async () => {
  const path = join(temporaryFolder(), 'wrong.cjs')
  writeFileSync(path, 'exports.stretch = async () => Buffer.alloc(32)')
  const wrong = loadStretch(path)
  if (wrong === undefined) throw new Error('it was not loaded')
  expect(await wrong(...given)).toEqual(await stretchByNode(...given))
  expect(await wrong(...given)).toEqual(await stretchByNode(...given))
})

// A login began its key only once the program was loaded, 40 ms later: its event loop had to hear of the comparison first.
test('the first key is begun at once, and the function compared with Node beside it', async () => {
  const begun: number[] = []
  const stretchHere = checkedStretch(async (key, first, iterations) => {
    begun.push(iterations)
    if (compiled === undefined) throw new Error('it is not called where there is none')
    const { stretch: iterate } = createRequire(import.meta.url)(compiledPath) as { stretch: Iterate }
    return iterate(key, first, iterations)
  })
  const key = stretchHere('password', Buffer.from('salt'), 5000)
  expect(begun[0]).toBe(5000)
  if (isSkipped) {
    await expect(key).rejects.toThrow('it is not called')
    return
  }
  expect(await key).toEqual(await stretchByNode('password', Buffer.from('salt'), 5000))
  const compared = begun.length
  await stretchHere(...given)
  expect(begun.length).toBe(compared + 1)
})

test('where nothing was compiled, Node stretches', async () => {
  expect(loadStretch('/nowhere/stretching.node')).toBeUndefined()
  expect(await stretch(...given)).toEqual(await stretchByNode(...given))
})
