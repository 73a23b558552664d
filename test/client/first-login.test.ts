// The key of the login that a script begins with, derived while the program starts.

import { expect, onTestFinished, test, vi } from 'vitest'
import { beginFirstLogin, firstLoginBegun } from '../../src/client/first-login.ts'
import { Failure } from '../../src/common/failure.ts'
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
  await beginFirstLogin(line, { knownLogins: known, keys, password, beginWithSalt: async () => {} })
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

test('the salt is asked for where it is not known, and only for a login as it can be', async () => {
  const known = await knownLogins(['c', 'ann'], ['c', 'eve'], ['d', 'eve'])
  const asked: string[] = []
  const begin = (line: string, isLate = false): Promise<void> =>
    beginFirstLogin(
      line,
      {
        knownLogins: known,
        keys: new EarlyKeys(),
        password: undefined,
        beginWithSalt: async (...words) => void asked.push(words.join(' ')),
      },
      isLate,
    )
  for (const line of [
    'login ann secret',
    'login bob',
    'register bob secret',
    'login bob "two words"',
    'login eve secret',
    'login bob my pass phrase',
    'login "my pass phrase" bob',
  ])
    await begin(line)
  await begin('login bob late', true)
  expect(asked).toEqual(['bob two words'])
})

test('the program waits neither for a line that does not come, nor long for a tracker, nor for its failure', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const never = new Promise<never>(() => undefined)
  const bugs: unknown[] = []
  const known = { knownLogins: await knownLogins(), keys: new EarlyKeys(), password: undefined }
  const options = { ...known, onFailure: (error: unknown) => bugs.push(error) }
  /** The milliseconds until the rest of the program is loaded. */
  const timeOf = async (begun: Promise<void>): Promise<number> => {
    const startedAtMs = Date.now()
    const state = { isOver: false }
    void begun.then(() => (state.isOver = true))
    while (!state.isOver) await vi.advanceTimersByTimeAsync(1)
    return Date.now() - startedAtMs
  }
  const line = Promise.resolve('login bob secret')
  let calls = 0
  const counts = (): Promise<void> => Promise.resolve(void calls++)
  expect(await timeOf(firstLoginBegun(never, { ...options, beginWithSalt: counts }))).toBe(5)
  expect(await timeOf(firstLoginBegun(line, { ...options, beginWithSalt: counts }))).toBe(1)
  expect(calls).toBe(1)
  const late = new Promise<string>((resolve) => setTimeout(() => resolve('login bob secret'), 9))
  expect(await timeOf(firstLoginBegun(late, { ...options, beginWithSalt: counts }))).toBe(5)
  await vi.advanceTimersByTimeAsync(100)
  expect(calls).toBe(1)
  const hangs = firstLoginBegun(line, { ...options, beginWithSalt: () => never })
  expect(await timeOf(hangs)).toBe(45)
  const fails = (error: Error): Promise<void> =>
    firstLoginBegun(line, { ...options, beginWithSalt: () => Promise.reject(error) })
  expect(await timeOf(fails(new Failure('connection-lost', 'nobody answers')))).toBe(1)
  expect(bugs).toEqual([])
  const bug = new TypeError('a bug')
  await timeOf(fails(bug))
  expect(bugs).toEqual([bug])
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
  // The login was quicker: no password is kept for another one.
  keys.begin('secret', stretching)
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
