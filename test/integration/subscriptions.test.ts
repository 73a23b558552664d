// A standing wish between real programs: what is shared comes by itself, and so does every new version.

import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { contentOf, isSame, MiB, World } from './world.ts'

let world: World
let ann: Program
let ben: Program
let into: string

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben] = (await world.users('ann', 'ben')) as [Program, Program]
  await world.group('g', ann, ben)
  into = world.path('of ben')
})
afterAll(() => world.close())

test('what is there comes at once, what is shared later comes by itself, and nothing else does', async () => {
  await ann.does(`upload_file ${world.makeFile('one.log', MiB)} g`)
  await ann.does(`upload_file ${world.makeFile('one.txt', 10)} g`)
  expect(await ben.say(`subscribe g *.log "${into}"`)).toBe(
    `*.log of g is fetched to ${into} whenever it comes`,
  )
  await ben.until('[C] [g] one.log')
  await ann.does(`upload_file ${world.makeFile('two.log', MiB)} g`)
  await ben.until('[C] [g] two.log')
  expect(isSame(world.path('two.log'), join(into, 'two.log'))).toBe(true)
  expect(existsSync(join(into, 'one.txt'))).toBe(false)
  await ben.askUntil('list_subscriptions', (line) => line === `g  *.log  ${into}  2 fetched`)
})

test('a new version takes the place of the old one, of which only what changed is fetched', async () => {
  const mark = ben.mark()
  const path = world.path('one.log')
  appendFileSync(path, contentOf('more', MiB))
  await ann.does(`upload_file ${path} g`)
  await ben.until('[C] [g] one.log', mark)
  expect(isSame(path, join(into, 'one.log'))).toBe(true)
  expect(ben.lines.slice(mark)).toContain(
    `2 of 4 pieces of ${join(into, 'one.log')} are taken from ${join(into, 'one.log')}`,
  )
})

test('what was changed here is not replaced, and that is said', async () => {
  const mark = ben.mark()
  const mine = join(into, 'two.log')
  writeFileSync(mine, 'my own')
  appendFileSync(world.path('two.log'), 'more')
  await ann.does(`upload_file ${world.path('two.log')} g`)
  await ben.until(/^two.log of g is not fetched: .*two.log is no earlier version as it was/, mark)
  expect(readFileSync(mine, 'utf8')).toBe('my own')
  const [, held] = await ben.ask('list_subscriptions')
  expect(held).toMatch(/^ {4}two.log is not fetched: .*two.log is no earlier version as it was/)
})

test('a folder comes by itself, too, and its next version as a whole', async () => {
  const folder = world.makeFolder('site')
  mkdirSync(join(folder, 'deep'))
  for (let index = 0; index < 20; index++)
    writeFileSync(join(folder, 'deep', `page ${index}`), contentOf(`page ${index}`, MiB / 10))
  await ben.does(`subscribe g si* "${into}"`)
  await ann.does(`upload_file ${folder} g`)
  await ben.until('[C] [g] site')
  const mark = ben.mark()
  writeFileSync(join(folder, 'deep', 'page 3'), 'other')
  await ann.does(`upload_file ${folder} g`)
  await ben.until('[C] [g] site', mark)
  expect(readFileSync(join(into, 'site', 'deep', 'page 3'), 'utf8')).toBe('other')
})

// The wish did not remember what was fetched after a kill, and refused to replace it by the next version.
test('a client that is killed while it fetches goes on, and gets the next version, too', async () => {
  const path = world.makeFile('killed.log', 2 * MiB)
  await ann.does('limit upload 256K')
  await ann.does(`upload_file ${path} g`)
  await ben.askUntil('show_downloads', (line) => line.startsWith('[D] [g] killed.log'))
  await ben.kill()
  ben = await world.again('ben')
  await ann.does('limit upload none')
  await ben.until('[C] [g] killed.log')
  const mark = ben.mark()
  appendFileSync(path, 'more')
  await ann.does(`upload_file ${path} g`)
  await ben.until('[C] [g] killed.log', mark)
  expect(isSame(path, join(into, 'killed.log'))).toBe(true)
  expect(ben.lines.filter((line) => line.startsWith('killed.log of g is not fetched'))).toEqual([])
})

// Likewise when the kill came right after the file was complete, so that only the share is remembered.
test('an earlier version that is there is replaced, whoever fetched it', async () => {
  const path = world.makeFile('before.log', MiB)
  await ann.does(`upload_file ${path} g`)
  await ben.until('[C] [g] before.log')
  await ben.does('unsubscribe g *.log')
  const mark = ben.mark()
  appendFileSync(path, 'more')
  await ann.does(`upload_file ${path} g`)
  await ben.does(`subscribe g *.log "${into}"`)
  await ben.until('[C] [g] before.log', mark)
  expect(isSame(path, join(into, 'before.log'))).toBe(true)
})

test('what came while the client was away comes at its next start, and nothing after the wish has ended', async () => {
  await ben.quit()
  await ann.does(`upload_file ${world.makeFile('three.log', MiB)} g`)
  ben = await world.again('ben')
  await ben.until('[C] [g] three.log')
  await ben.does('unsubscribe g *.log')
  await ben.does('unsubscribe g si*')
  expect(await ben.say('list_subscriptions')).toBe('no subscriptions')
  await ann.does(`upload_file ${world.makeFile('four.log', 10)} g`)
  await ben.ask('list_files g')
  expect(existsSync(join(into, 'four.log'))).toBe(false)
})
