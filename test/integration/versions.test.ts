// A name that is shared again with other content is its next version.

import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { World } from './world.ts'

let world: World
let ann: Program
let ben: Program

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben] = (await world.users('ann', 'ben')) as [Program, Program]
  await world.group('g', ann, ben)
})
afterAll(() => world.close())

const when = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d`

test('its versions are listed with their dates and who shared them', async () => {
  const path = world.makeFile('notes.txt', 10)
  await ann.does(`upload_file ${path} g`)
  writeFileSync(path, 'something else')
  await ann.does(`upload_file ${path} g`)
  expect(await ben.ask('list_versions g notes.txt')).toEqual([
    expect.stringMatching(new RegExp(`^version 2  14 bytes  ${when}  by ann$`)),
    expect.stringMatching(new RegExp(`^version 1  10 bytes  ${when}  by ann$`)),
  ])
  expect(await ben.ask('list_files g --details')).toEqual([
    expect.stringMatching(new RegExp(`^notes.txt  14 bytes  1 seeder  version 2  ${when}  by ann$`)),
  ])
  expect(await ben.say('list_versions g other.txt')).toBe('error: there is no file other.txt in g')
})
