// A login that is remembered: the client logs in by itself when it starts again, until it is told to forget it.

import { existsSync, readFileSync, statSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.make()
})
afterEach(() => world.close())

const asRemembered = 'logged in as ann, as remembered'
const file = (): string => world.path('ann', 'remembered_login')

/** A client whose login is remembered. */
async function remembered(): Promise<Program> {
  await world.account('ann')
  const ann = world.client('ann')
  await ann.does('login ann secret --remember')
  return ann
}

test('a client that starts again is logged in by itself, and its file has no password and no other reader', async () => {
  const before = await remembered()
  await before.does('create_group g', `upload_file ${world.makeFile('f', 100)} g`)
  await before.quit()
  expect(statSync(file()).mode & 0o777).toBe(0o600)
  expect(readFileSync(file(), 'utf8')).not.toContain('secret')
  expect(Object.keys(JSON.parse(readFileSync(file(), 'utf8')))).toEqual([
    'version',
    'user',
    'community',
    'session',
    'verifierKey',
  ])
  const again = world.client('ann')
  await again.until(asRemembered)
  await again.askUntil('list_files g', 'f  100 bytes  1 seeder')
})

test('it starts logged in while no tracker answers, says so, and goes on when one does', async () => {
  await (await remembered()).quit()
  await world.tracker.kill()
  const again = world.client('ann')
  await again.until(
    `no tracker answers; the login of ann goes on as soon as 127.0.0.1:${world.trackerPort} does`,
  )
  expect(await again.say('whoami')).toBe('ann')
  await world.startTracker()
  await again.until(asRemembered)
  await again.does('create_group g')
})

test('logout forgets it, and a login that is not to be remembered leaves none', async () => {
  const ann = await remembered()
  await ann.does('logout')
  expect(existsSync(file())).toBe(false)
  await ann.does('login ann secret')
  await ann.quit()
  expect(existsSync(file())).toBe(false)
  expect(await world.client('ann').say('whoami')).toBe('nobody is logged in')
})

test('a login is remembered later, too, without the password; for another user somebody has to log out first', async () => {
  await world.account('ann')
  await world.account('ben', 'ann')
  const ann = world.client('ann')
  await ann.does('login ann secret')
  expect(await ann.say('login ann --remember')).toBe('you are logged in as ann')
  expect(existsSync(file())).toBe(true)
  await ann.quit()
  const again = world.client('ann')
  await again.until(asRemembered)
  expect(await again.say('login ann wrong')).toBe('you are logged in as ann')
  expect(await again.say('login ben secret')).toBe('error: ann is logged in here; log out first: logout')
})

test('a new password elsewhere ends a remembered login, which is forgotten with a sentence', async () => {
  await (await remembered()).quit()
  await world.knows('other', 'ann')
  const other = world.client('other')
  await other.does('login ann secret', 'change_password secret another-one')
  const again = world.client('ann')
  await again.until(/^the password was changed/)
  expect(existsSync(file())).toBe(false)
  expect(await again.say('whoami')).toBe('nobody is logged in')
  await again.quit()
  expect(again.lines.filter((line) => line.includes('log in again'))).toHaveLength(1)
})

test('whoever is logged in as remembered can set a new password, and stays remembered', async () => {
  await (await remembered()).quit()
  const again = world.client('ann')
  await again.until(asRemembered)
  await again.does('change_password secret another-one')
  await again.quit()
  expect(await world.client('ann').until(asRemembered)).toBe(asRemembered)
})

test('a script needs no login where one is remembered', async () => {
  await (await remembered()).quit()
  const script = world.client('ann', { words: ['-e', 'create_group g', '-e', 'list_groups'] })
  await script.until('g  owner ann  1 member  you are the owner')
  expect(await script.ended()).toMatchObject({ code: 0 })
})
