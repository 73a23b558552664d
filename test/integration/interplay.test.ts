// Commands that get into each other's way, and paths that nothing can be done with: a sentence each, and
// never the end of the program.

import { existsSync, mkdirSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Program } from './programs.ts'
import { isSame, MiB, World } from './world.ts'

let world: World
let ann: Program
let ben: Program
let cem: Program

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben, cem] = (await world.users('ann', 'ben', 'cem')) as [Program, Program, Program]
  await world.group('g', ann, ben, cem)
})
afterAll(() => world.close())

test('a path of links in a circle, and one that is too long, cannot be shared', async () => {
  symlinkSync('circle', world.path('circle'))
  expect(await ann.say('upload_file circle g')).toMatch(
    /^error: .*circle is a link that leads back to itself$/,
  )
  expect(await ann.say(`upload_file ${'x'.repeat(300)}/f g`)).toMatch(/cannot be read: the name is too long$/)
})

test('a folder in the place of a part file is left there when its download is cancelled', async () => {
  const path = world.makeFile('folder.bin', MiB)
  await ann.does(`upload_file ${path} g`)
  await ben.does('limit download 100K', 'download_file g folder.bin taken.bin')
  await ben.askUntil('show_downloads --details', /^ {4}0 of 2 pieces/)
  // It is made empty, and has its size once the download has opened it: before that a folder stops the download.
  await vi.waitFor(() => expect(statSync(world.path('taken.bin.part')).size).toBe(MiB))
  rmSync(world.path('taken.bin.part'))
  mkdirSync(world.path('taken.bin.part'))
  expect(await ben.say('cancel_download g folder.bin')).toBe('cancelled folder.bin from g')
  expect(existsSync(world.path('taken.bin.part'))).toBe(true)
  expect(await ben.say('cancel_download g folder.bin')).toMatch(/^error: there is no download/)
  await ben.does('limit download none')
})

test('after a login that failed here, not there, somebody else can log in', async () => {
  const dora = await world.user('dora')
  await dora.does('create_group d', `upload_file ${world.makeFile('d.bin', 1)} d`, 'logout')
  const users = world.path('dora', 'users')
  writeFileSync(`${users}/${readdirSync(users)[0]}/dora.json`, 'junk')
  expect(await dora.say('login dora secret')).toMatch(/^error: .* is damaged/)
  await dora.does('create_user emil secret', 'login emil secret', 'logout')
})

test('a file that is withdrawn the moment it is complete stays withdrawn', async () => {
  for (const name of ['a.bin', 'b.bin', 'c.bin']) {
    await ann.does(`upload_file ${world.makeFile(name, 1000)} g`)
    // At once, as a script does: between the two there is no time to look.
    ben.write(`download_file g ${name} ben-${name}`, `stop_share g ${name}`)
    await ben.until(`stopped sharing ${name} in g`)
    await ann.does(`stop_share g ${name}`)
  }
  expect((await ann.ask('list_files g')).filter((line) => /^[abc]\.bin/.test(line))).toEqual([])
})

test('where a download has failed, no other is written, for the first may go on', async () => {
  for (const name of ['one.bin', 'two.bin']) await ann.does(`upload_file ${world.makeFile(name, 8 * MiB)} g`)
  await ben.does('limit download 1M', 'download_file g one.bin there.bin')
  await ben.askUntil('show_downloads --details', /^ {4}[1-9]\d* of 16 pieces/)
  await ann.does('stop_share g one.bin')
  await ben.until(/^\[F\] \[g\] one\.bin/)
  expect(await ben.say('download_file g two.bin there.bin')).toMatch(
    /^error: .*there\.bin belongs to the failed download of one\.bin from g; choose another name, or cancel that one/,
  )
  await ben.does('limit download none', 'cancel_download g one.bin', 'download_file g two.bin there.bin')
  await ben.until('[C] [g] two.bin')
  expect(isSame(world.path('two.bin'), world.path('there.bin'))).toBe(true)
})

test('a file is served whole while the same client downloads it once more', async () => {
  await ann.does(`upload_file ${world.makeFile('again.bin', 9 * MiB)} g`)
  await ben.does('limit download none', 'download_file g again.bin first.bin')
  await ben.until('[C] [g] again.bin')
  await ben.does('limit download 1M', 'download_file g again.bin second.bin')
  await ben.askUntil('show_downloads --details', /^ {4}[1-9]\d* of 18 pieces/)
  await ben.does('pause_download g again.bin')
  expect(await ann.askUntil('list_files g', /^again/)).toBe('again.bin  9437184 bytes  2 seeders')
  await ann.does('logout')
  await cem.does('download_file g again.bin cem-again.bin')
  await cem.until('[C] [g] again.bin')
  await ann.does('login ann secret')
})
