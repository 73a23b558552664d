// Programs that are killed in the middle: what was there stays there, and goes on by itself.

import { existsSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { Program } from './programs.ts'
import { isSame, MiB, World } from './world.ts'

let world: World
let ann: Program

/** 12 pieces: four a second while the download is limited. */
const sizeBytes = 6 * MiB
const slow = ['--download-limit', '2M']

beforeAll(async () => {
  world = await World.make()
  ann = await world.user('ann')
  await ann.does('create_group g')
  for (const name of ['one.bin', 'two.bin', 'three.bin', 'four.bin']) {
    await ann.does(`upload_file ${world.makeFile(name, sizeBytes)} g`)
  }
})
afterAll(() => world.close())

async function member(name: string, words: readonly string[] = []): Promise<Program> {
  const client = await world.user(name, { words })
  await client.does('join_group g')
  await ann.does(`accept_request g ${name}`)
  return client
}

/** The client of a user is killed when `count` pieces of the file are there; how many that were at least. */
async function killedInTheMiddle(client: Program, file: string, count: number): Promise<number> {
  await client.does(`download_file g ${file} .`.replace(' .', ` ${client.name}-${file}`))
  const there = await client.untilPieces(count)
  await client.kill()
  expect(existsSync(world.path(`${client.name}-${file}`))).toBe(false)
  expect(existsSync(world.path(`${client.name}-${file}.part`))).toBe(true)
  return there
}

/** After the restart: completes by itself; how many pieces had to be fetched. */
async function resumes(name: string, file: string): Promise<number> {
  const client = await world.again(name)
  await client.until(`[C] [g] ${file}`)
  expect(isSame(world.path(file), world.path(`${name}-${file}`))).toBe(true)
  expect(existsSync(world.path(`${name}-${file}.part`))).toBe(false)
  const { from } = await client.progress(file)
  expect(await client.quit()).toEqual({ code: 0, signal: null })
  return from.get('ann') ?? 0
}

const journalsOf = (name: string): string[] =>
  readdirSync(world.path(name, 'journals')).map((journal) => world.path(name, 'journals', journal))

describe('a downloader that is killed', () => {
  test('resumes at the next login, and does not fetch again what it had', async () => {
    const there = await killedInTheMiddle(await member('ben', slow), 'one.bin', 4)
    const fetched = await resumes('ben', 'one.bin')
    expect(there + fetched).toBeLessThanOrEqual(12)
    expect(fetched).toBeGreaterThan(0)
    expect(journalsOf('ben')).toEqual([])
  })

  // Every other way in which a journal can be wrong is in piece-store.test.ts.
  test('looks at the bytes themselves when its journal is junk', async () => {
    const there = await killedInTheMiddle(await member('cem', slow), 'two.bin', 4)
    const [path = ''] = journalsOf('cem')
    writeFileSync(path, '\0\u0001 this is no journal \uffff'.repeat(99))
    expect(there + (await resumes('cem', 'two.bin'))).toBeLessThanOrEqual(12)
  })

  test('believes neither journal nor part file: what was damaged on disk is fetched again', async () => {
    await killedInTheMiddle(await member('finn', slow), 'three.bin', 4)
    writeFileSync(world.path('finn-three.bin.part'), Buffer.alloc(sizeBytes, 1))
    expect(await resumes('finn', 'three.bin')).toBe(12)
  })
})

describe('a seeder that is killed', () => {
  test('shares again after its restart without being told, and the download that waited goes on', async () => {
    const gus = await member('gus', slow)
    const seeder = await member('hal')
    await seeder.does(`upload_file ${world.makeFile('hals.bin', sizeBytes)} g`)
    await gus.does('download_file g hals.bin gus-hals.bin')
    await gus.untilPieces(3)
    await seeder.kill()
    await gus.askUntil('list_files g', 'hals.bin  6291456 bytes  0 seeders')
    await gus.does('limit download none')
    const again = await world.again('hal')
    await gus.until('[C] [g] hals.bin')
    expect(isSame(world.path('hals.bin'), world.path('gus-hals.bin'))).toBe(true)
    await again.askUntil('list_files g', 'hals.bin  6291456 bytes  2 seeders')
  })
})

test('a client that is killed amid a script that shares hundreds of files shares all that it has replied to again', async () => {
  const ira = await member('ira')
  await ira.quit()
  const names = Array.from({ length: 900 }, (_, each) => `ira ${each} ${'x'.repeat(100)}.txt`)
  const lines = names.map((name) => `upload_file "${world.makeFile(name, 20)}" g\n`)
  writeFileSync(world.path('script'), `login ira secret\n${lines.join('')}`)
  const killed = world.client('ira', { words: ['-f', world.path('script')] })
  await killed.until(`sharing ${names[450]} in g (20 bytes, 1 piece)`)
  await killed.kill()
  const journal = readdirSync(world.path('ira', 'users'), { recursive: true }).map(String)
  expect(journal).toContainEqual(expect.stringMatching(/ira\.journal$/))
  const replied = names.filter((name) => killed.lines.includes(`sharing ${name} in g (20 bytes, 1 piece)`))
  const again = await world.again('ira')
  await vi.waitFor(
    async () => {
      const rows = await again.ask('list_files g')
      const shared = new Set(rows.filter((row) => row.endsWith('  20 bytes  1 seeder')))
      expect(replied.filter((name) => !shared.has(`${name}  20 bytes  1 seeder`))).toEqual([])
    },
    { timeout: 20_000, interval: 200 },
  )
  expect(replied.length).toBeGreaterThan(450)
})

describe('a tracker that is killed', () => {
  test('stops no transfer, and comes back with everything it knew; nobody has to log in again', async () => {
    const ivy = await member('ivy', slow)
    await ivy.does('download_file g four.bin ivy-four.bin')
    const before = await ivy.untilPieces(2)
    const groups = await ivy.ask('list_groups')
    await world.tracker.kill()
    await ivy.until(/^no tracker answers/)
    // Nobody is asked while it goes on: a question would wait for a tracker.
    await ivy.untilPieces(before + 3)
    await ivy.does('limit download none')
    await ivy.until('[C] [g] four.bin')
    expect(isSame(world.path('four.bin'), world.path('ivy-four.bin'))).toBe(true)

    await world.startTracker()
    await Promise.all([ivy.until('reconnected to the tracker'), ann.until('reconnected to the tracker')])
    expect(await ivy.ask('list_groups')).toEqual(groups)
    expect(await ann.ask('list_members g')).toContain('ivy')
    // Both come back as seeders, and what was completed meanwhile is told now.
    await ann.askUntil('list_files g', 'four.bin  6291456 bytes  2 seeders')
    expect(await ann.say('create_user ivy secret')).toMatch(/^error: /)
    expect(await ann.say('create_group after')).toBe('group after created')
  })
})

// The client tried its old login for ever, was taken for a guesser of passwords, and every command took
// five seconds to fail. Later it logged its user out, who lost sight of all shares and downloads because of whoever
// listened where the tracker had been.
test('a tracker of another community, or that began anew, is noticed, and nobody is logged out for it', async () => {
  const alone = await World.make()
  try {
    const max = await alone.user('max')
    await alone.tracker.kill()
    renameSync(alone.path('tracker-data'), alone.path('kept'))
    await alone.startTracker()
    await max.until(/^the tracker at \S+ belongs to another community, or has begun anew/)
    expect(await max.say('whoami')).toBe('max')
    expect(await max.say('create_group again')).toBe(
      'error: the tracker that answers belongs to another community; log out to use it',
    )
    await alone.tracker.kill()
    rmSync(alone.path('tracker-data'), { recursive: true })
    renameSync(alone.path('kept'), alone.path('tracker-data'))
    await alone.startTracker()
    await max.askUntil('create_group again', 'group again created')
    await alone.tracker.kill()
    rmSync(alone.path('tracker-data'), { recursive: true })
    const mark = max.mark()
    await alone.startTracker()
    await max.until(/^the tracker at \S+ belongs to another community, or has begun anew/, mark)
    await max.does('logout')
    await max.does('create_user max secret', 'login max secret', 'create_group again')
  } finally {
    await alone.close()
  }
})
