// Limits by the hour, from any terminal of a client, and after it was started again.

import { mkdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MiB, World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

test('those by the hour outlive the client, plain ones do not, and each terminal sees all', async () => {
  const first = world.client('ann')
  await first.does('limit download 1M')
  const second = world.client('ann')
  await second.does('limit upload 2M --from 8:00 --to 18:00')
  const byTheHour = 'upload limited to 2M bytes a second from 8:00 to 18:00'
  const all = ['upload is not limited', 'download limited to 1M bytes a second', byTheHour]
  expect(await first.ask('limit')).toEqual(all)
  expect(await second.ask('limit')).toEqual(all)
  await second.quit()
  await first.quit()
  const again = world.client('ann')
  expect(await again.ask('limit')).toEqual(['upload is not limited', 'download is not limited', byTheHour])
  await again.does('limit upload none')
  await again.quit()
  expect(await world.client('ann').ask('limit')).toEqual(['upload is not limited', 'download is not limited'])
})

test('a limit may stand in the file of the configuration, where a mistake ends the start with its line', async () => {
  const folder = world.makeFolder('config')
  mkdirSync(world.path('config', 'coterie'))
  const file = world.path('config', 'coterie', 'client.conf')
  const words = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort), '--data-dir', world.path('ben')]
  const start = () => world.run('ben', 'client', words, { env: { XDG_CONFIG_HOME: folder } })
  writeFileSync(file, 'upload-limit 3M\n')
  const ben = start()
  expect(await ben.ask('limit')).toContain('upload limited to 3M bytes a second')
  await ben.quit()
  writeFileSync(file, 'upload-limit 3M\nfrob yes\n')
  const refused = start()
  expect(await refused.ended()).toMatchObject({ code: 2 })
  expect(refused.stderr).toBe(`error: ${file}, line 2: there is no setting "frob"\n`)
})

test('one download is held back by its own limit, also after a restart, and ends when that is taken away', async () => {
  const [cem, dan] = await world.users('cem', 'dan')
  if (cem === undefined || dan === undefined) throw new Error('two users')
  await world.group('g', cem, dan)
  await cem.does(
    `upload_file ${world.makeFile('slow', 8 * MiB)} g`,
    `upload_file ${world.makeFile('fast', 8 * MiB)} g`,
  )
  // Else it might be complete before its limit is there.
  await dan.does('limit download 64K', `download_file g slow ${world.path('dan-slow')}`)
  await dan.does('limit download 32K g slow', 'limit download none')
  await dan.quit()
  const again = await world.again('dan')
  expect(await again.ask('limit')).toContain('download of slow from g limited to 32K bytes a second')
  await again.does(`download_file g fast ${world.path('dan-fast')}`)
  await again.until('[C] [g] fast')
  expect(await again.ask('show_downloads')).toContain('[D] [g] slow')
  await again.does('limit download none g slow')
  await again.until('[C] [g] slow')
})

test('others fetch one entry within its own limit, also after a restart, and all else at full speed', async () => {
  const [eva, fay] = await world.users('eva', 'fay')
  if (eva === undefined || fay === undefined) throw new Error('two users')
  await world.group('e', eva, fay)
  for (const name of ['held', 'free']) await eva.does(`upload_file ${world.makeFile(name, 8 * MiB)} e`)
  expect(await eva.say('limit upload 64K e nothing')).toMatch(
    /^error: you neither share nor download nothing in e/,
  )
  await eva.does('limit upload 64K e held', 'limit upload 1M e free', 'limit upload none e free')
  await eva.quit()
  const again = await world.again('eva')
  const held = 'upload of held from e limited to 64K bytes a second'
  expect((await again.ask('limit')).slice(2)).toEqual([held])
  for (const name of ['held', 'free']) await fay.does(`download_file e ${name} ${world.path(`fay-${name}`)}`)
  await fay.until('[C] [e] free')
  await fay.askUntil('why e held', /^limited {2}eva has set an upload limit$/)
  expect(await fay.ask('show_downloads')).toContain('[D] [e] held')
  await again.askUntil('why e held', /^limited {2}your own upload limit of 64\.0 KiB\/s /)
  await again.does('limit upload none e held')
  await fay.until('[C] [e] held')
  await again.does('limit upload 64K e held', 'stop_share e held')
  expect((await again.ask('limit')).slice(2)).toEqual([])
})

test('the limit of an entry is that of the user who gave it, not of the next one at this client', async () => {
  const [first, hal, ida] = await world.users('gus', 'hal', 'ida')
  if (first === undefined || hal === undefined || ida === undefined) throw new Error('three users')
  await world.group('h', first, hal, ida)
  for (const client of [first, hal]) await client.quit()
  await world.knows('gus', 'hal')
  const gus = await world.again('gus')
  const upload = `upload_file ${world.makeFile('both', 4 * MiB)} h`
  await gus.does(upload, 'limit upload 1K h both', 'logout', 'login hal secret', upload)
  expect((await gus.ask('limit')).slice(2)).toEqual([])
  await ida.does(`download_file h both ${world.path('ida-both')}`)
  await ida.until('[C] [h] both')
  await gus.does('logout', 'login gus secret')
  expect((await gus.ask('limit')).slice(2)).toEqual(['upload of both from h limited to 1K bytes a second'])
})
