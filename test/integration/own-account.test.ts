// Another password, and the end of an account, as people meet them: with two clients of one user.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { World } from './world.ts'

let world: World

beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

test('with a new password the other machine is logged out and told; with it, it comes back', async () => {
  const ann = await world.user('ann')
  await world.knows('ann-there', 'ann')
  const there = await world.again('ann', { dataFolder: 'ann-there' })
  const mark = there.mark()
  expect(await ann.say('change_password wrong better')).toBe(
    'error: the password is wrong; type the one that you log in with',
  )
  expect(await ann.say('change_password secret better')).toBe('password of ann changed')
  await there.until('the password of ann was changed; log in again', mark)
  expect(await there.say('whoami')).toBe('nobody is logged in')
  expect(await there.say('login ann secret')).toBe('error: wrong user name or password')
  expect(await there.say('login ann better')).toBe('logged in as ann')
  expect(await ann.say('create_group of-ann')).toBe('group of-ann created')
})

test('after a new password the client comes back by itself when its tracker does', async () => {
  const cem = await world.user('cem')
  await cem.does('change_password secret better')
  const mark = cem.mark()
  await world.tracker.kill()
  await world.startTracker()
  await cem.until('reconnected to the tracker', mark)
  expect(await cem.say('create_group of-cem')).toBe('group of-cem created')
})

test('who forgot the password sets a new one with a code from the tracker', async () => {
  const dan = await world.user('dan')
  const mark = dan.mark()
  world.tracker.write('reset_password dan')
  const line = await world.tracker.until(/^give this to dan; /)
  const code = line.split(' ').at(-1) ?? ''
  expect(await dan.say(`reset_password dan ${code.slice(1)} new`)).toBe(
    'error: a code has 32 digits and letters from a to f; copy all of it',
  )
  await dan.ask(`reset_password dan ${code.toUpperCase()} new`)
  await dan.until('password of dan changed', mark)
  await dan.until('the password of dan was changed; log in again', mark)
  expect(await dan.say('login dan new')).toBe('logged in as dan')
  expect(await dan.say(`reset_password dan ${code} newer`)).toMatch(/^error: this code is wrong, used up/)
})

test('an account that is deleted is logged out everywhere, and forgotten where it was deleted', async () => {
  const ben = await world.user('ben')
  await world.knows('ben-there', 'ben')
  const there = await world.again('ben', { dataFolder: 'ben-there' })
  await ben.does('create_group of-ben', `upload_file ${world.makeFile('a.txt', 10)} of-ben`)
  const mark = there.mark()
  expect(await ben.ask('delete_account secret')).toEqual(['account ben deleted'])
  await there.until('the account ben was deleted', mark)
  expect(await ben.say('whoami')).toBe('nobody is logged in')
  expect(await ben.say('login ben secret')).toBe('error: wrong user name or password')
  await ben.does('create_user ben other', 'login ben other', 'create_group of-ben')
  expect(await ben.say('list_files of-ben')).toBe('no files in of-ben')
})
