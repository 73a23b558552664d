// A name that is shared again with other content is its next version.

import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Program } from './programs.ts'
import { contentOf, isSame, MiB, World } from './world.ts'

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

test('a new version has its recipe before anybody asks for that', async () => {
  const recipes = (): string[] =>
    readdirSync(world.path('ann', 'manifests')).filter((name) => name.endsWith('.recipe'))
  const path = world.makeFile('asked.bin', 3 * MiB)
  await ann.does(`upload_file ${path} g`)
  expect(recipes()).toEqual([])
  appendFileSync(path, 'more')
  await ann.does(`upload_file ${path} g`)
  await vi.waitFor(() => expect(recipes()).toHaveLength(1), { timeout: 20_000 })
})

describe('what is at the destination already', () => {
  test('is shared from there when it is the same', async () => {
    const path = world.makeFile('same.bin', 3 * MiB)
    await ann.does(`upload_file ${path} g`)
    const copy = world.path('copy.bin')
    cpSync(path, copy)
    expect(await ben.say(`download_file g same.bin ${copy}`)).toBe(
      `${copy} is same.bin from g already, and is shared`,
    )
    await ben.askUntil('list_files g', (line) => line.includes('2 seeders'))
  })

  test('is refused when it is another content, and when it is to be the same', async () => {
    const path = world.makeFile('other.bin', MiB)
    await ann.does(`upload_file ${path} g`)
    const copy = world.path('other-copy.bin')
    writeFileSync(copy, contentOf('another', MiB))
    expect(await ben.say(`download_file g other.bin ${copy}`)).toBe(
      `error: ${copy} exists; choose another name, or add --overwrite`,
    )
    expect(await ben.say(`download_file g other.bin ${copy} --adopt`)).toBe(
      `error: ${copy} has another content`,
    )
    expect(readFileSync(copy).equals(contentOf('another', MiB))).toBe(true)
  })

  test('has most of a new version: only the rest is fetched', async () => {
    const path = world.makeFile('log.bin', 8 * MiB)
    await ann.does(`upload_file ${path} g`)
    const copy = world.path('log-copy.bin')
    await ben.does(`download_file g log.bin ${copy}`)
    await ben.until('[C] [g] log.bin')
    appendFileSync(path, 'one line more')
    await ann.does(`upload_file ${path} g`)
    const mark = ben.mark()
    await ben.does(`download_file g log.bin ${copy} --overwrite`)
    await ben.until('[C] [g] log.bin', mark)
    expect(isSame(path, copy)).toBe(true)
    expect(ben.lines.slice(mark)).toContain(`16 of 17 pieces of ${copy} are taken from ${copy}`)
  })
})

test('a download of the version before goes over to the new one, and keeps what both have', async () => {
  const path = world.makeFile('moving.bin', 10 * MiB)
  await ann.does('limit upload 2M', `upload_file ${path} g`)
  const copy = world.path('moving-copy.bin')
  const mark = ben.mark()
  await ben.does(`download_file g moving.bin ${copy}`)
  await ben.askUntil('show_downloads --details', (line) => /^ {4}([6-9]|1\d) of 20 /.test(line))
  appendFileSync(path, 'more')
  await ann.does(`upload_file ${path} g`, 'limit upload none')
  await ben.until('[C] [g] moving.bin', mark)
  expect(isSame(path, copy)).toBe(true)
  expect(ben.lines.slice(mark)).toContain(
    'moving.bin from g has a new version, which is downloaded instead; what both have is kept',
  )
  const details = await ben.askUntil('show_downloads --details', (line) => /^ {4}21 of 21 /.test(line))
  expect(Number(/(\d+) from ann/.exec(details)?.[1])).toBeLessThanOrEqual(15)
})

test('of a new version that begins with a line more, hardly anything is fetched', async () => {
  const path = world.makeFile('dump.sql', 8 * MiB)
  await ann.does(`upload_file ${path} g`)
  const copy = world.path('dump-copy.sql')
  await ben.does(`download_file g dump.sql ${copy}`)
  await ben.until('[C] [g] dump.sql')
  writeFileSync(path, Buffer.concat([Buffer.from('one line more\n'), readFileSync(path)]))
  await ann.does(`upload_file ${path} g`)
  const mark = ben.mark()
  await ben.does(`download_file g dump.sql ${copy} --overwrite`)
  await ben.until('[C] [g] dump.sql', mark)
  expect(isSame(path, copy)).toBe(true)
  const lines = ben.lines.slice(mark)
  expect(lines).toContain(`0 of 17 pieces of ${copy} are taken from ${copy}`)
  expect(lines).toContain(`16 more are put together from parts of ${copy}, and 1 in part`)
})

describe('a folder', () => {
  /** Of 40 files of 100 KiB. */
  function makeFolder(name: string): string {
    const folder = world.makeFolder(name)
    mkdirSync(join(folder, 'src'))
    for (let index = 0; index < 40; index++)
      writeFileSync(join(folder, 'src', `file ${index}`), contentOf(`${name} ${index}`, MiB / 10))
    return folder
  }

  test('is replaced as a whole by its next version, of which only what changed is fetched', async () => {
    const folder = makeFolder('build')
    const into = world.makeFolder('builds of ben')
    await ann.does(`upload_file ${folder} g`)
    await ben.does(`download_file g build "${into}"`)
    await ben.until('[C] [g] build')
    const inodes = (): number[] =>
      ['file 6', 'file 7'].map((name) => statSync(join(into, 'build', 'src', name)).ino)
    const [same, other] = inodes()
    writeFileSync(join(folder, 'src', 'file 7'), contentOf('changed', MiB / 10))
    writeFileSync(join(folder, 'src', 'new'), 'new')
    await ann.does(`upload_file ${folder} g`)
    const mark = ben.mark()
    await ben.does(`download_file g build "${into}" --overwrite`)
    await ben.until('[C] [g] build', mark)
    const names = readdirSync(join(folder, 'src')).toSorted()
    expect(readdirSync(join(into, 'build', 'src')).toSorted()).toEqual(names)
    for (const name of names)
      expect(isSame(join(folder, 'src', name), join(into, 'build', 'src', name))).toBe(true)
    expect(readdirSync(into)).toEqual(['build'])
    // What is the same in both is not copied.
    expect(inodes()[0]).toBe(same)
    expect(inodes()[1]).not.toBe(other)
    const [, taken, all] =
      /(\d+) of (\d+) pieces of .* are taken/.exec(ben.lines.slice(mark).join('\n')) ?? []
    expect(Number(all)).toBeGreaterThan(8)
    expect(Number(all) - Number(taken)).toBeLessThanOrEqual(4)
  })

  test('in which somebody has changed something is not replaced', async () => {
    const folder = makeFolder('site')
    const into = world.makeFolder('sites of ben')
    await ann.does(`upload_file ${folder} g`)
    await ben.does(`download_file g site "${into}"`)
    await ben.until('[C] [g] site')
    writeFileSync(join(into, 'site', 'my notes'), 'mine')
    writeFileSync(join(folder, 'src', 'file 7'), 'changed')
    await ann.does(`upload_file ${folder} g`)
    expect(await ben.say(`download_file g site "${into}" --overwrite`)).toBe(
      `error: ${join(into, 'site')} is no earlier version as it was, so it is not replaced; move it away, or choose another name`,
    )
    expect(readFileSync(join(into, 'site', 'my notes'), 'utf8')).toBe('mine')
    expect(existsSync(join(into, 'site.part'))).toBe(false)
  })

  test('that is there already is shared from there', async () => {
    const folder = makeFolder('same')
    const into = world.makeFolder('of somebody else')
    await ann.does(`upload_file ${folder} g`)
    cpSync(folder, join(into, 'same'), { recursive: true, preserveTimestamps: true })
    expect(await ben.say(`download_file g same "${into}" --adopt`)).toBe(
      `${join(into, 'same')} is same from g already, and is shared`,
    )
    await ben.askUntil('list_files g', (line) => /^same.* 2 seeders/.test(line))
  })
})
