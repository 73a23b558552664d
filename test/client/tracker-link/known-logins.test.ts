// A tracker that was taken over could ask for a password with fewer iterations, or a salt of its own, and guess the
// password from the proof.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { KnownLogins } from '../../../src/client/storage/known-logins.ts'
import { scramIterationsMin } from '../../../src/common/limits.ts'
import { accept } from '../../../src/common/refusal.ts'
import { parseClientFirst, serverFirstMessage } from '../../../src/common/security/scram.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { password, startTrackers, user, type FakeTracker } from './fake-tracker.ts'
import { linkTo } from './linked.ts'

const otherSalt = Buffer.alloc(16, 9).toString('base64')

/** From now on this tracker asks for the password in this way. */
function asksFor(tracker: FakeTracker, salt: string, iterations: number): void {
  tracker.instead.set('login_start', (params) => {
    const { nonce } = parseClientFirst(params.clientFirst)!
    return accept({
      serverFirst: serverFirstMessage(nonce, 'its-own-nonce', {
        salt,
        iterations,
        storedKey: '',
        serverKey: '',
      }),
    })
  })
}

test.each([
  ['a salt of its own', otherSalt, scramIterationsMin],
  ['more iterations', Buffer.alloc(16, 7).toString('base64'), scramIterationsMin + 1],
])(
  'who has logged in before proves nothing to a tracker with %s, also after a restart',
  async (_, salt, iterations) => {
    const [tracker] = await startTrackers(1)
    const folder = temporaryFolder()
    const { link: first } = linkTo([tracker!], folder)
    expect(await first.login(user, password)).toMatchObject({ ok: true })
    await first.saved()
    asksFor(tracker!, salt, iterations)
    const { link } = linkTo([tracker!], folder)
    await expect(link.login(user, password)).rejects.toMatchObject({
      code: 'protocol',
      message: `the tracker may be an impostor: it asks for the password of ann in another way than before; if you know why, move ${join(folder, 'logins', 'c1.json')} away`,
    })
    expect(await tracker!.called('login_finish')).toHaveLength(1)
    tracker!.instead.clear()
    expect(await link.login(user, password)).toMatchObject({ ok: true })
  },
)

test('who is new here proves nothing to a tracker that asks for less than every client registers with', async () => {
  const [tracker] = await startTrackers(1)
  const folder = temporaryFolder()
  const { link } = linkTo([tracker!], folder, scramIterationsMin + 1)
  await expect(link.login(user, password)).rejects.toMatchObject({
    code: 'protocol',
    message: 'the tracker may be an impostor: it asks for the password of ann in a way that is too weak',
  })
  expect(tracker!.calls.some(({ method }) => method === 'login_finish')).toBe(false)
})

test('a registration is remembered as it was made', async () => {
  const [tracker] = await startTrackers(1)
  const folder = temporaryFolder()
  const { link } = linkTo([tracker!], folder)
  expect(await link.accounts.register('bob', password)).toEqual(accept(undefined))
  const [call] = await tracker!.called('register')
  const { salt, iterations } = call!.params
  expect(new KnownLogins(folder, () => undefined).find('c1', 'bob')).toEqual({ salt, iterations })
})

test('a wrong password leaves nothing behind', async () => {
  const [tracker] = await startTrackers(1)
  const folder = temporaryFolder()
  expect(await linkTo([tracker!], folder).link.login(user, 'wrong')).toMatchObject({ ok: false })
  expect(new KnownLogins(folder, () => undefined).find('c1', user)).toBeUndefined()
})

test('each community and each user has its own, whatever they are called', async () => {
  const folder = temporaryFolder()
  const logins = new KnownLogins(folder, () => undefined)
  await logins.remember('c1', 'ann', { salt: 'a', iterations: 1 })
  await logins.remember('c1', '__proto__', { salt: 'b', iterations: 2 })
  await logins.remember('../c2', 'ann', { salt: 'c', iterations: 3 })
  const again = new KnownLogins(folder, () => undefined)
  expect(again.find('c1', 'ann')).toEqual({ salt: 'a', iterations: 1 })
  expect(again.find('../c2', 'ann')).toEqual({ salt: 'c', iterations: 3 })
  expect(again.find('c1', 'constructor')).toBeUndefined()
})

test('what is learned while the file is being written is on disk when all is saved', async () => {
  const folder = temporaryFolder()
  const logins = new KnownLogins(folder, () => undefined)
  const users = Array.from({ length: 8 }, (_, n) => `user${n}`)
  for (const [n, name] of users.entries()) void logins.remember('c1', name, { salt: name, iterations: n })
  expect(logins.find('c1', 'user7')).toEqual({ salt: 'user7', iterations: 7 })
  await logins.saved()
  const again = new KnownLogins(folder, () => undefined)
  for (const [n, name] of users.entries())
    expect(again.find('c1', name)).toEqual({ salt: name, iterations: n })
})

test('a damaged file is named, and not taken for an empty one', async () => {
  const folder = temporaryFolder()
  const logins = new KnownLogins(folder, () => undefined)
  await logins.remember('c1', 'ann', { salt: 'a', iterations: 1 })
  writeFileSync(logins.pathOf('c1'), '{"version":1,')
  expect(() => new KnownLogins(folder, () => undefined).find('c1', 'ann')).toThrow(
    `${logins.pathOf('c1')} cannot be read; move it away if it is damaged`,
  )
})

test('what cannot be written is said, and known until the program ends', async () => {
  const folder = temporaryFolder()
  const said: string[] = []
  const logins = new KnownLogins(folder, (sentence) => said.push(sentence))
  expect(logins.find('c1', 'ann')).toBeUndefined()
  writeFileSync(join(folder, 'logins'), 'a file where the folder belongs')
  await logins.remember('c1', 'ann', { salt: 'a', iterations: 1 })
  expect(said).toHaveLength(1)
  expect(said[0]).toContain(`a login cannot be remembered in ${logins.pathOf('c1')}`)
  expect(logins.find('c1', 'ann')).toEqual({ salt: 'a', iterations: 1 })
})
