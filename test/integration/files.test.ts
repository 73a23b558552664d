// Files of every size and name go round whole; what is wrong with a path costs one error and nothing else.

import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { isSame, MiB, pieceBytes, World } from './world.ts'

let world: World
let ann: Program
let ben: Program

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben] = (await world.users('ann', 'ben')) as [Program, Program]
  await world.group('g', ann, ben)
  world.makeFolder('out')
})
afterAll(() => world.close())

const quoted = (text: string): string => `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`

describe('sizes', () => {
  test.each([
    ['empty.bin', '0 bytes', 0, '0 pieces'],
    ['one.bin', '1 byte', 1, '1 piece'],
    ['short.bin', '524287 bytes', pieceBytes - 1, '1 piece'],
    ['exact.bin', '524288 bytes', pieceBytes, '1 piece'],
    ['long.bin', '524289 bytes', pieceBytes + 1, '2 pieces'],
    ['many.bin', '6291463 bytes', 6 * MiB + 7, '13 pieces'],
  ])('%s of %s is shared, listed and fetched identical', async (name, size, sizeBytes, pieces) => {
    const original = world.makeFile(name, sizeBytes)
    expect(await ann.say(`upload_file ${original} g`)).toBe(`sharing ${name} in g (${size}, ${pieces})`)
    expect(await ben.ask('list_files g')).toContain(`${name}  ${size}  1 seeder`)
    const [reply] = await ben.ask(`download_file g ${name} out`)
    expect(reply).toBe(`downloading ${name} from g to ${world.path('out', name)}`)
    await ben.until(`[C] [g] ${name}`)
    expect(isSame(original, world.path('out', name))).toBe(true)
    expect(existsSync(world.path('out', `${name}.part`))).toBe(false)
  })
})

describe('names', () => {
  test.each([
    'two words.txt',
    'it\'s "quoted".txt',
    'back\\slash is no name.txt',
    'Grüße – 日本語 🐚.txt',
    '-rf',
    '--overwrite',
    '.hidden',
    '#comment',
    `${'n'.repeat(196)}.txt`,
  ])('%s is a file like any other, unless no system could take it', async (name) => {
    const original = world.makeFile(name, 3000)
    const reply = await ann.say(`upload_file ${quoted(`./${name}`)} g`)
    if (name.includes('\\')) {
      expect(reply).toBe(
        'error: character 5 of "back\\slash is no name.txt" is a path separator (U+005C); rename the file without it',
      )
      return
    }
    expect(reply).toBe(`sharing ${name} in g (3000 bytes, 1 piece)`)
    expect(await ben.ask('list_files g')).toContain(`${name}  3000 bytes  1 seeder`)
    // Behind "--" even a name that is a flag is a name.
    await ben.does(`download_file -- g ${quoted(name)} out`)
    await ben.until(`[C] [g] ${name}`)
    expect(isSame(original, world.path('out', name))).toBe(true)
  })

  test('a name with a leading dash can be typed as it is, for sharing and for fetching', async () => {
    const original = world.makeFile('-x.png', 10)
    expect(await ann.say('upload_file -x.png g')).toBe('sharing -x.png in g (10 bytes, 1 piece)')
    await ben.does('download_file g -x.png out/dash')
    await ben.until('[C] [g] -x.png')
    expect(isSame(original, world.path('out', 'dash'))).toBe(true)
  })

  test.each([
    [
      'with an invisible character',
      'a\u202eb.txt',
      /invisible and changes the direction of text \(U\+202E\)/,
    ],
    ['with a soft hyphen', 'so\u00adft.txt', /\(U\+00AD, soft hyphen\); rename the file without it$/],
    ['with a blank at its end', 'blank.txt ', /ends with a blank \(U\+0020\)/],
  ])('a name that is %s is refused with its reason', async (_what, name, reason) => {
    world.makeFile(name, 1)
    const reply = await ann.say(`upload_file ${quoted(name)} g`)
    expect(reply).toMatch(/^error: /)
    expect(reply).toMatch(reason)
  })
})

// "a file name is in Unicode normal form C; rename the file" was said of every file of a Mac with an umlaut.
test('a file whose name is spelt as a Mac does is shared and fetched under the usual spelling', async () => {
  const original = world.makeFile('cafe\u0301.txt', 10)
  expect(await ann.say('upload_file cafe\u0301.txt g')).toBe('sharing café.txt in g (10 bytes, 1 piece)')
  await ben.does('download_file g cafe\u0301.txt out/cafe')
  await ben.until('[C] [g] café.txt')
  expect(isSame(original, world.path('out', 'cafe'))).toBe(true)
})

test('the longest name goes round, with its part file', async () => {
  const name = '字'.repeat(85)
  const original = world.makeFile(name, 10)
  await ann.does(`upload_file ${name} g`)
  await ben.does(`download_file g ${name} out`)
  await ben.until(`[C] [g] ${name}`)
  expect(isSame(original, world.path('out', name))).toBe(true)
})

test('~ is the home folder', async () => {
  world.makeFolder('home')
  world.makeFile('home/at-home.bin', 10)
  await ann.does('upload_file ~/at-home.bin g')
  await ben.does('download_file g at-home.bin ~ --overwrite')
  await ben.until('[C] [g] at-home.bin')
  expect(existsSync(world.path('~'))).toBe(false)
})

describe('bad input', () => {
  beforeAll(async () => {
    await ann.does(`upload_file ${world.makeFile('good.bin', 1000)} g`)
    world.makeFolder('place')
  })

  test('what cannot be shared is one error each, and the list of files stays as it was', async () => {
    // How many seed a file may still change: what Ben fetched above is announced a little later.
    const listed = async (): Promise<string[]> =>
      (await ben.ask('list_files g')).map((line) => line.replace(/ \d+ seeders?$/, ''))
    const before = await listed()
    world.makeFolder('a-folder')
    symlinkSync(world.path('good.bin'), world.path('a-folder', 'link'))
    writeFileSync(world.path('secret.txt'), 'x')
    chmodSync(world.path('secret.txt'), 0)
    symlinkSync(world.path('nowhere'), world.path('dangling'))
    symlinkSync(world.path('circle'), world.path('circle'))
    for (const [command, reason] of [
      [
        'upload_file a-folder g',
        /link is a link, which cannot be shared; --skip-special leaves such files out$/,
      ],
      ['upload_file missing.bin g', /there is no file .*missing\.bin$/],
      ['upload_file good.bin/inside g', /there is no file/],
      ['upload_file dangling g', /there is no file/],
      ['upload_file circle g', /circle is a link that leads back to itself$/],
      ['upload_file "" g', /the path of a file is missing$/],
      ['upload_file /proc/cpuinfo g', /is made by the system while it is read; share a copy/],
      ['upload_file not\ufffdutf8.bin g', /a name that is not valid UTF-8 cannot be typed; rename/],
      ['upload_file good.bin nogroup', /there is no group nogroup$/],
      ['upload_file good.bin "not a group"', /group name/],
      ['upload_file /dev/null g', /not a regular file/],
      ['upload_file good.bin', /upload_file needs a group/],
    ] as const) {
      const reply = await ann.say(command)
      expect(reply).toMatch(/^error: /)
      expect(reply).toMatch(reason)
    }
    expect(await listed()).toEqual(before)
  })

  test('what cannot be fetched is one error each, and nothing is made on disk', async () => {
    const place = world.path('place')
    mkdirSync(join(place, 'folder.bin', 'good.bin'), { recursive: true })
    writeFileSync(join(place, 'taken.bin'), 'mine')
    writeFileSync(join(place, 'other.bin.part'), 'mine too')
    const before = readdirSync(place, { recursive: true })
    for (const [command, reason] of [
      ['download_file g nofile.bin place', /there is no file nofile\.bin in g$/],
      ['download_file nogroup good.bin place', /there is no group nogroup$/],
      ['download_file "no group" good.bin place', /there is no group/],
      ['download_file g ../good.bin place', /^error: /],
      ['download_file g good.bin place/none/x.bin', /there is no folder .*place\/none$/],
      ['download_file g good.bin place/none/', /there is no folder/],
      ['download_file g good.bin place/taken.bin/x', /taken\.bin is a file, not a folder$/],
      ['download_file g good.bin ""', /the destination is missing$/],
      [
        'download_file g good.bin place/taken.bin',
        /taken\.bin exists; choose another name, or add --overwrite$/,
      ],
      [
        'download_file g good.bin place/folder.bin',
        /folder\.bin\/good\.bin is a folder; choose another name$/,
      ],
      [
        'download_file --overwrite g good.bin place/folder.bin',
        /good\.bin is a folder; choose another name$/,
      ],
      ['download_file g good.bin place/other.bin', /other\.bin\.part exists already/],
      ['download_file g good.bin', /download_file needs a destination/],
    ] as const) {
      const reply = await ben.say(command)
      expect(reply).toMatch(/^error: /)
      expect(reply).toMatch(reason)
    }
    expect(readdirSync(place, { recursive: true })).toEqual(before)
    expect(readFileSync(join(place, 'taken.bin'), 'utf8')).toBe('mine')
    expect(readFileSync(join(place, 'other.bin.part'), 'utf8')).toBe('mine too')
    expect(await ben.ask('show_downloads')).not.toContain('[D] [g] good.bin')
  })

  // `--overwrite` of x also removed a complete file that was called x.part.
  test('--overwrite replaces what is there, and nothing else', async () => {
    writeFileSync(world.path('place', 'old.bin'), 'old')
    writeFileSync(world.path('place', 'old.bin.part'), 'somebody else’s')
    const command = 'download_file g good.bin place/old.bin --overwrite'
    expect(await ben.say(command)).toBe(
      'error: old.bin.part exists already; remove it, or choose another name',
    )
    expect(readFileSync(world.path('place', 'old.bin.part'), 'utf8')).toBe('somebody else’s')
    rmSync(world.path('place', 'old.bin.part'))
    await ben.does(command)
    await ben.until('[C] [g] good.bin')
    expect(isSame(world.path('good.bin'), world.path('place', 'old.bin'))).toBe(true)
    expect(existsSync(world.path('place', 'old.bin.part'))).toBe(false)
  })

  test('a part file that is a link is not followed: the download is refused', async () => {
    writeFileSync(world.path('victim'), 'not to be touched')
    symlinkSync(world.path('victim'), world.path('place', 'link.bin.part'))
    const reply = await ben.say('download_file g good.bin place/link.bin --overwrite')
    expect(reply).toBe('error: link.bin.part exists already; remove it, or choose another name')
    expect(readFileSync(world.path('victim'), 'utf8')).toBe('not to be touched')
  })

  // Every byte was fetched, and then the file could not get its name.
  test('a destination that is a link to nothing, or has a name that is too long, is refused at once', async () => {
    symlinkSync(world.path('nowhere'), world.path('place', 'dangling.bin'))
    expect(await ben.say('download_file g good.bin place/dangling.bin')).toMatch(
      /^error: .* is a link that leads nowhere; choose another name$/,
    )
    expect(await ben.say(`download_file g good.bin place/${'z'.repeat(256)}`)).toMatch(
      /^error: .* is longer than 255 bytes$/,
    )
    expect(existsSync(world.path('nowhere'))).toBe(false)
  })
})

// It was told that the file is not shared at present and has to be uploaded again.
test('a script that shares a changed file again hears no more than that', async () => {
  const path = world.makeFile('again.bin', 1000)
  const before = await world.user('again')
  await before.does('create_group again', `upload_file ${path} again`)
  await before.quit()
  writeFileSync(path, 'something else')
  const client = world.client('again')
  client.process.stdin.end(`login again secret\nupload_file ${path} again\n`)
  expect(await client.ended()).toEqual({ code: 0, signal: null })
  expect(client.lines).toEqual(['logged in as again', 'sharing again.bin in again (14 bytes, 1 piece)'])
})
