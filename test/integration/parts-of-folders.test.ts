// Of a folder a member looks at what is in it, and fetches a part, through restarts, kills and a second terminal.

import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { contentOf, MiB, World } from './world.ts'

let world: World
let ann: Program
let ben: Program

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben] = (await world.users('ann', 'ben')) as [Program, Program]
  await world.group('g', ann, ben)
  world.makeFolder('of ben')
  const folder = world.path('project')
  for (const below of ['src/deep', 'photos']) mkdirSync(join(folder, below), { recursive: true })
  for (let index = 0; index < 50; index++)
    writeFileSync(join(folder, 'src', `${index}.txt`), contentOf(`small ${index}`, 100 + index))
  writeFileSync(join(folder, 'src/deep/run.sh'), 'exit 0\n')
  chmodSync(join(folder, 'src/deep/run.sh'), 0o755)
  writeFileSync(join(folder, 'photos/large.jpg'), contentOf('large', 9 * MiB))
  writeFileSync(join(folder, 'photos/other.jpg'), contentOf('other', 5 * MiB))
  await ann.does(`upload_file ${folder} g`)
})
afterAll(() => world.close())

const original = (path: string): Buffer => readFileSync(world.path('project', path))
const at = (...names: string[]): string => world.path('of ben', ...names)

test('what is in a folder is listed, by its owner and by who has nothing of it', async () => {
  for (const who of [ann, ben]) {
    const lines = await who.ask('list_files g project/')
    expect(lines.map((line) => line.split('  ')[0])).toHaveLength(53)
    expect(lines.find((line) => line.startsWith('photos/large'))).toMatch(
      /^photos\/large\.jpg  9437184 bytes  \d{4}-\d\d-\d\d \d\d:\d\d$/,
    )
    expect(lines.some((line) => line.startsWith('src/deep/run.sh*  7 bytes  '))).toBe(true)
  }
  expect(await ben.ask('list_files g project/src/1?.txt')).toHaveLength(10)
  expect(await ben.say('list_files g project/nothing')).toBe(
    'error: there is nothing like nothing in project',
  )
  expect(await ben.say('list_files g other/')).toMatch(/^error: /)
})

test('a file comes alone, and is not shared by who fetched it', async () => {
  expect(await ben.say(`download_file g project/photos/other.jpg "${at()}"`)).toBe(
    `downloading project/photos/other.jpg from g to ${at('other.jpg')}`,
  )
  await ben.until('[C] [g] project/photos/other.jpg')
  expect(readFileSync(at('other.jpg')).equals(original('photos/other.jpg'))).toBe(true)
  expect(readdirSync(at())).toEqual(['other.jpg'])
  expect(await ben.ask('list_files g')).toEqual([expect.stringMatching(/^project\/  .* 1 seeder$/)])
})

test('a folder and a pattern come without what is above them, at the same time', async () => {
  await ben.does(`download_file g project/src/deep "${at()}"`)
  await ben.does(`download_file g project/src/*.txt "${at('texts')}"`)
  await ben.until('[C] [g] project/src/deep')
  await ben.until('[C] [g] project/src/*.txt')
  expect(readFileSync(at('deep', 'run.sh'), 'utf8')).toBe('exit 0\n')
  expect(statSync(at('deep', 'run.sh')).mode & 0o100).toBe(0o100)
  expect(readdirSync(at('texts'))).toHaveLength(50)
  expect(readFileSync(at('texts', '7.txt')).equals(original('src/7.txt'))).toBe(true)
})

test('a part may be fetched beside the whole, and beside another terminal that asks for it', async () => {
  const other = world.client('ben')
  await ben.does('limit download 2M', `download_file g project "${at('whole')}"`)
  expect(await other.say(`download_file g project/src/9.txt "${at()}"`)).toBe(
    `downloading project/src/9.txt from g to ${at('9.txt')}`,
  )
  await ben.until('[C] [g] project/src/9.txt')
  const since = other.mark()
  other.write('list_files g project/src/deep')
  await other.until(/^src\/deep\/run\.sh\*  7 bytes /, since)
  await other.does('cancel_download g project')
  await ben.does('limit download none')
  await other.quit()
})

test('what is not in the folder is refused, and so is what no part can be', async () => {
  expect(await ben.say(`download_file g project/none "${at()}"`)).toBe(
    'error: there is nothing like none in project',
  )
  expect(await ben.say(`download_file g project/../x "${at()}"`)).toMatch(
    /^error: \.\.\/x is no path within project/,
  )
  expect(await ben.say(`download_file g project/photos/large.jpg "${at('other.jpg')}"`)).toMatch(
    /^error: .*other\.jpg exists/,
  )
})

test('it can be paused, goes on after a kill with what it had, and can be cancelled', async () => {
  await ben.does('limit download 1M')
  await ben.does(`download_file g project/photos "${at()}"`)
  await ben.does(`download_file g project/photos/large.jpg "${at('cancelled.jpg')}"`)
  await ben.does('cancel_download g project/photos/large.jpg')
  expect(existsSync(at('cancelled.jpg.part'))).toBe(false)
  await ben.askUntil('show_downloads --details', (line) => /^ {4}[2-9] of \d+ pieces/.test(line))
  await ben.does('pause_download g project/photos/')
  expect(await ben.ask('show_downloads')).toContain('[P] [g] project/photos')
  // It said "you neither fetch nor share project here".
  expect(await ben.ask('why g project')).toContain('paused  project/photos: it is paused')
  const { done } = await ben.progress('project/photos')
  await ben.kill()
  ben = await world.again('ben')
  expect(await ben.ask('show_downloads')).toContain('[P] [g] project/photos')
  await ben.does('resume_download g project/photos')
  await ben.until('[C] [g] project/photos')
  const after = await ben.progress('project/photos')
  expect([after.all, after.from.get('ann')]).toEqual([after.done, after.all - done])
  expect(readFileSync(at('photos', 'large.jpg')).equals(original('photos/large.jpg'))).toBe(true)
  expect(readdirSync(at('photos'))).toHaveLength(2)
  expect(existsSync(at('photos.part'))).toBe(false)
})

test('without anybody online it waits, and begins when somebody has it', async () => {
  await ann.quit()
  // What the last download kept of it goes when that is forgotten.
  const nobody = 'error: nobody who has project is online; try again later'
  expect(await ben.askUntil('list_files g project/', nobody)).toBe(nobody)
  await ben.does(`download_file g project/src/7.txt "${at()}"`)
  await ben.does(`download_file g project/none "${at('nothing')}"`)
  ann = await world.again('ann')
  await ben.until('[C] [g] project/src/7.txt')
  await ben.until('[F] [g] project/none - there is nothing like none in project')
  expect(readFileSync(at('7.txt')).equals(original('src/7.txt'))).toBe(true)
})

test('a part goes over to the next version of its folder, in which it may be elsewhere', async () => {
  await ben.does('limit download 1M', `download_file g project/photos/large.jpg "${at()}"`)
  writeFileSync(world.path('project', 'photos/large.jpg'), contentOf('another', 3 * MiB + 1))
  writeFileSync(world.path('project', 'photos/a first one.jpg'), contentOf('first', MiB))
  await ann.does(`upload_file ${world.path('project')} g`)
  await ben.until(/^project\/photos\/large\.jpg from g has a new version/)
  await ben.does('limit download none')
  await ben.until('[C] [g] project/photos/large.jpg')
  expect(readFileSync(at('large.jpg')).equals(original('photos/large.jpg'))).toBe(true)
  expect(existsSync(at('large.jpg.part'))).toBe(false)
})
