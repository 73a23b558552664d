// A folder goes round whole: fetched from one member it is the same at the other, who gives it on.

import { hash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { contentOf, MiB, World } from './world.ts'

let world: World
let ann: Program
let ben: Program
let cid: Program

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben, cid] = (await world.users('ann', 'ben', 'cid')) as [Program, Program, Program]
  await world.group('g', ann, ben, cid)
  for (const folder of ['of ben', 'of cid']) world.makeFolder(folder)
})
afterAll(() => world.close())

/** Many small files, some large ones, empty ones, one that may be run, deep folders and one without anything. */
function makeFolder(name: string): string {
  const folder = world.path(name)
  for (const below of ['src/deep/deeper', 'empty', 'photos'])
    mkdirSync(join(folder, below), { recursive: true })
  for (let index = 0; index < 300; index++)
    writeFileSync(join(folder, 'src', `file ${index}.txt`), contentOf(`small ${index}`, 100 + 97 * index))
  writeFileSync(join(folder, 'src/deep/deeper/käse.bin'), contentOf('cheese', 3 * MiB + 5))
  writeFileSync(join(folder, 'photos/large.jpg'), contentOf('large', 9 * MiB))
  writeFileSync(join(folder, 'nothing'), '')
  writeFileSync(join(folder, 'run.sh'), 'exit 0\n')
  chmodSync(join(folder, 'run.sh'), 0o755)
  utimesSync(join(folder, 'nothing'), 1_500_000_000, 1_500_000_000)
  return folder
}

/** Whether two folders have the same files, with their bytes, modes and times. */
function expectSame(one: string, other: string): void {
  const facts = (root: string): unknown[] =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .toSorted()
      .map((path) => [path, statSync(join(root, path))] as const)
      .map(([path, stats]) =>
        stats.isDirectory()
          ? [path]
          : [
              path,
              stats.mode & 0o100,
              Math.floor(stats.mtimeMs / 1000),
              hash('sha256', readFileSync(join(root, path))),
            ],
      )
  expect(facts(other)).toEqual(facts(one))
}

test('it arrives as it was shared, and a third one gets it from whoever fetched it', async () => {
  const original = makeFolder('project')
  await ann.does(`upload_file ${original} g`)
  expect(await ben.say(`download_file g project "${world.path('of ben')}"`)).toBe(
    `downloading project from g to ${world.path('of ben', 'project')}`,
  )
  await ben.until('[C] [g] project')
  expectSame(original, world.path('of ben', 'project'))
  expect(readdirSync(world.path('of ben'))).toEqual(['project'])
  await cid.askUntil('list_files g', (line) => /^project\/ .* 2 seeders$/.test(line))
  // Until then ben has it, and does not share it yet.
  await ben.askUntil('why g project', (line) => line.startsWith('sharing'))
  await ann.does('stop_share g project')
  await cid.does(`download_file g project "${world.path('of cid')}"`)
  await cid.until('[C] [g] project')
  expectSame(original, world.path('of cid', 'project'))
})

test('after a restart it is shared on, and nothing is fetched again', async () => {
  await ben.quit()
  ben = await world.again('ben')
  const line = await cid.askUntil('list_files g', (listed) => listed.endsWith('2 seeders'))
  expect(line).toMatch(/^project\/ /)
})

test('what is there already is not replaced', async () => {
  expect(await ben.say(`download_file g project "${world.path('of ben')}"`)).toMatch(/^error: /)
  mkdirSync(world.path('of ben', 'mine'))
  writeFileSync(world.path('of ben', 'mine', 'file'), 'mine')
  expect(existsSync(world.path('of ben', 'mine', 'project'))).toBe(false)
  expect(readFileSync(world.path('of ben', 'mine', 'file'), 'utf8')).toBe('mine')
})
