// An asker who is away while his request is decided hears of it when he comes.

import { afterEach, beforeEach, expect, test } from 'vitest'
import { World } from './world.ts'

let world: World
beforeEach(async () => {
  world = await World.make()
})
afterEach(() => world.close())

const yes = 'you are now a member of family'
const no = 'your request to join friends was rejected'

test('he is told at his next login, once, also if that is remembered', async () => {
  const [ann, ben] = await world.users('ann', 'ben')
  await ann!.does('create_group family', 'create_group friends', 'create_group others')
  await ben!.does('join_group family', 'join_group friends', 'join_group others')
  await ben!.quit()
  await ann!.does('accept_request family ben', 'reject_request friends ben')
  const again = world.client('ben')
  await again.does('login ben secret --remember')
  await again.until(yes)
  await again.until(no)
  await again.quit()
  await ann!.does('accept_request others ben')
  const third = world.client('ben')
  await third.until('you are now a member of others')
  expect(await third.say('whoami')).toBe('ben')
  expect(third.lines.filter((line) => line === yes || line === no)).toEqual([])
})
