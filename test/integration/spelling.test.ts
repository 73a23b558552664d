// Names of files typed as a Mac spells them (normal form D) work in every command as in the usual spelling.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB, World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

test('a file is fetched, paused, resumed, cancelled and no longer shared by its decomposed name', async () => {
  const listed = 'caf\u00e9.bin'
  const typed = listed.normalize('NFD')
  expect(typed).not.toBe(listed)
  const seeder = await world.user('seeder')
  const member = await world.user('member', { words: ['--download-limit', '64K'] })
  await world.group('g', seeder, member)
  await seeder.does(`upload_file ${world.makeFile(listed, 4 * MiB)} g`)
  await member.does(`download_file g ${typed} copy`)
  for (const command of ['pause_download', 'resume_download', 'cancel_download'])
    await member.does(`${command} g ${typed}`)
  await seeder.does(`stop_share g ${typed}`)
  expect(await seeder.ask('list_files g')).not.toContain(listed)
})
