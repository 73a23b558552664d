// The key of the login that a script begins with, derived while the program starts.

import { expect, test, vi } from 'vitest'
import { beginFirstLogin } from '../../src/client/first-login.ts'
import { readAhead } from '../../src/client/script.ts'
import { KnownLogins } from '../../src/client/storage/known-logins.ts'
import { EarlyKeys } from '../../src/client/tracker-link/early-keys.ts'
import * as scram from '../../src/common/security/scram.ts'
import { temporaryFolder } from '../tracker/support/test-tracker.ts'

const stretching = { salt: 'c2FsdA==', iterations: 1000 }

async function knownLogins(
  ...users: readonly (readonly [community: string, user: string])[]
): Promise<KnownLogins> {
  const known = new KnownLogins(temporaryFolder(), () => undefined)
  for (const [community, user] of users) await known.remember(community, user, stretching)
  return known
}

/** Whether this first line begins the key of `secret`. */
async function begins(line: string | undefined, known: KnownLogins, password?: string): Promise<boolean> {
  const keys = new EarlyKeys()
  beginFirstLogin(line, { knownLogins: known, keys, password })
  const derive = vi.spyOn(scram, 'deriveKeys')
  const taken = await keys.take('secret', stretching.salt, stretching.iterations)
  const isBegun = derive.mock.calls.length === 0
  derive.mockRestore()
  expect(taken).toEqual(await scram.deriveKeys('secret', stretching.salt, stretching.iterations))
  return isBegun
}

test('the key of a login is begun for a user who has logged in here, with the password of the line or the given one', async () => {
  const known = await knownLogins(['c', 'ann'])
  expect(await begins('login ann secret', known)).toBe(true)
  expect(await begins('login ann', known, 'secret')).toBe(true)
  expect(await begins('login --remember ann secret', known)).toBe(true)
  expect(await begins('login ann', known)).toBe(false)
  expect(await begins('login bob secret', known)).toBe(false)
  expect(await begins('login ann other', known)).toBe(false)
  expect(await begins('whoami', known)).toBe(false)
  expect(await begins('login ann "secret', known)).toBe(false)
  expect(await begins(undefined, known)).toBe(false)
})

test('nothing is begun for a user of two communities, which may have two salts', async () => {
  expect(await begins('login ann secret', await knownLogins(['c', 'ann'], ['d', 'ann']))).toBe(false)
  expect(await begins('login ann secret', await knownLogins(['c', 'ann'], ['d', 'bob']))).toBe(true)
})

test('keys that were begun are handed out once, and for their salt and iterations alone', async () => {
  const keys = new EarlyKeys()
  keys.begin('secret', stretching)
  const other = await keys.take('secret', 'b3RoZXI=', stretching.iterations)
  expect(other).toEqual(await scram.deriveKeys('secret', 'b3RoZXI=', stretching.iterations))
  const derive = vi.spyOn(scram, 'deriveKeys')
  await keys.take('secret', stretching.salt, stretching.iterations)
  expect(derive).toHaveBeenCalledOnce()
  derive.mockRestore()
})

test('a line that was read ahead is still the first, and trouble with it is told to whoever reads the lines', async () => {
  const gathered = async (lines: AsyncIterable<string | undefined>): Promise<(string | undefined)[]> => {
    const all = []
    for await (const line of lines) all.push(line)
    return all
  }
  const three = readAhead(
    (async function* () {
      yield* ['a', 'b', undefined]
    })(),
  )
  expect(await three.first).toBe('a')
  expect(await gathered(three.lines)).toEqual(['a', 'b', undefined])
  const none = readAhead(
    (async function* () {
      yield* []
    })(),
  )
  expect(await none.first).toBeUndefined()
  expect(await gathered(none.lines)).toEqual([])
  const broken = readAhead(
    (async function* () {
      yield await Promise.reject<string>(new Error('cannot be read'))
    })(),
  )
  expect(await broken.first).toBeUndefined()
  await expect(gathered(broken.lines)).rejects.toThrow('cannot be read')
})
