// A folder is shared as a whole: it is listed with its files, said to have changed, and shared again after a restart.

import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { MiB, World } from './world.ts'

let world: World
let ann: Program
let ben: Program

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben] = (await world.users('ann', 'ben')) as [Program, Program]
  await world.group('g', ann, ben)
})
afterAll(() => world.close())

/** With three small files, one of 1 MiB, and an empty folder. */
function makeFolder(name: string): string {
  const folder = world.path(name)
  mkdirSync(join(folder, 'deep', 'empty'), { recursive: true })
  for (const file of ['a.txt', 'b.txt', 'deep/c.txt']) writeFileSync(join(folder, file), `this is ${file}\n`)
  writeFileSync(join(folder, 'large.bin'), Buffer.alloc(MiB, name))
  return folder
}

const bytes = MiB + 14 + 14 + 19

test('it is listed with how many files it has, and each upload is the next version', async () => {
  const folder = makeFolder('photos')
  expect(await ann.ask(`upload_file ${folder}/ g`)).toEqual([
    `sharing photos/ in g (4 files, ${bytes} bytes, 4 pieces)`,
  ])
  expect(await ben.ask('list_files g')).toEqual([`photos/  4 files  ${bytes} bytes  1 seeder`])
  writeFileSync(join(folder, 'd.txt'), 'one more')
  expect(await ann.ask(`upload_file ${folder} g`)).toEqual([
    `sharing photos/ in g (5 files, ${bytes + 8} bytes, 4 pieces)`,
    expect.stringMatching(/^it replaces version 1 of \d{4}-\d\d-\d\d \d\d:\d\d$/),
  ])
  expect(await ben.ask('list_versions g photos')).toEqual([
    expect.stringMatching(/^version 2 {2}5 files /),
    expect.stringMatching(/^version 1 {2}4 files /),
  ])
  await ann.does('stop_share g photos')
  expect(await ben.ask('list_files g')).toEqual(['no files in g'])
})

test('a link in it is refused by name, or left out when that is asked for', async () => {
  const folder = makeFolder('linked')
  symlinkSync('/etc/passwd', join(folder, 'deep', 'passwd'))
  expect(await ann.say(`upload_file ${folder} g`)).toBe(
    'error: deep/passwd is a link, which cannot be shared; --skip-special leaves such files out',
  )
  expect(await ann.ask(`upload_file ${folder} g --skip-special`)).toEqual([
    `sharing linked/ in g (4 files, ${bytes} bytes, 4 pieces)`,
    'left out: deep/passwd',
  ])
  await ann.does('stop_share g linked')
})

test('one that is as it was is shared again after a restart, and a file that changed is named', async () => {
  const folder = makeFolder('papers')
  await ann.does(`upload_file ${folder} g`)
  await ann.quit()
  ann = await world.again('ann')
  await ben.askUntil('list_files g', `papers/  4 files  ${bytes} bytes  1 seeder`)
  await ann.quit()
  appendFileSync(join(folder, 'deep', 'c.txt'), 'more')
  rmSync(join(folder, 'a.txt'))
  ann = await world.again('ann')
  await ann.until(
    `${join(folder, 'a.txt')} changed on disk; others get only its unchanged parts; to share the new version, upload ${folder} again`,
  )
  const [why] = await ann.ask('why g papers')
  expect(why).toContain(`in ${folder} these files changed: a.txt, deep/c.txt`)
})
