// Data folders that version 0.1 wrote: both programs go on with them. See test/data/folders-0.1.

import { createHash } from 'node:crypto'
import { chmodSync, cpSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { idOf } from '../../src/client/downloading/part-file.ts'
import { contentOf, isSame, MiB, World } from './world.ts'

const kept = fileURLToPath(new URL('../data/folders-0.1', import.meta.url))

let world: World
beforeAll(() => {
  world = new World()
  for (const [name, to] of [
    ['tracker', 'tracker-data'],
    ['ann', 'ann'],
    ['ben', 'ben'],
  ] as const) {
    cpSync(`${kept}/${name}`, world.path(to), { recursive: true })
    makePrivate(world.path(to))
  }
  const file = world.makeFile('holiday.bin', 2 * MiB + 5, 'holiday')
  moveShare(file)
  moveDownload(world.path('copy.bin'))
})
afterAll(() => world.close())

/** As it was written: git keeps no such rights. */
function makePrivate(folder: string): void {
  chmodSync(folder, 0o700)
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600)
}

function moveShare(file: string): void {
  rewrite('ann', (text) => text.replace('@FOLDER@/holiday.bin', file))
}

/** The part file has all pieces, so that only the journal tells which one was still to come. */
function moveDownload(destination: string): void {
  writeFileSync(`${destination}.part`, contentOf('holiday', 2 * MiB + 5))
  const id = idOf(statSync(`${destination}.part`))
  const text = rewrite('ben', (before) =>
    before.replace('@FOLDER@/copy.bin', destination).replace(/"part": ".*"/, `"part": "${id}"`),
  )
  const [, fileId = ''] = /"fileId": "(\w+)"/.exec(text) ?? []
  const name = createHash('sha256').update(`${fileId} ${destination}`).digest('hex').slice(0, 32)
  const [journal = ''] = readdirSync(world.path('ben', 'journals'))
  renameSync(world.path('ben', 'journals', journal), world.path('ben', 'journals', name))
}

function rewrite(user: string, change: (text: string) => string): string {
  const [community = ''] = readdirSync(world.path(user, 'users'))
  const path = world.path(user, 'users', community, `${user}.json`)
  const text = change(readFileSync(path, 'utf8'))
  writeFileSync(path, text)
  return text
}

test('a tracker and two clients go on with their folders: what was shared is, and a download fetches the piece that it lacks', async () => {
  await world.startTracker()
  const ann = world.client('ann')
  await ann.does('login ann correct-horse')
  await ann.askUntil('list_files family', /^holiday\.bin .*1 seeder/)
  const ben = world.client('ben')
  await ben.does('login ben correct-horse')
  await ben.until('[C] [family] holiday.bin')
  expect(isSame(world.path('holiday.bin'), world.path('copy.bin'))).toBe(true)
  const [, details] = await ben.ask('show_downloads --details')
  expect(details).toMatch(/^ +5 of 5 pieces; 1 from ann@[\d.:]+$/)
})
