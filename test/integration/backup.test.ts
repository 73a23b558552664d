// Backups by the real programs: under load, and killed on their way.

import { cpSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { readThrough } from '../../src/tracker/data-copy.ts'
import { DatabaseSync } from '../../src/tracker/log/sqlite-engine.ts'
import { SqliteLog } from '../../src/tracker/log/sqlite-log.ts'
import { Sequencer } from '../../src/tracker/sequencer.ts'
import { digestOf } from '../../src/tracker/state/sections.ts'
import { TestClient } from '../tracker/support/test-client.ts'
import { runTracker } from '../tracker/support/test-tracker.ts'
import type { Program } from './programs.ts'
import { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

const saving = (file: string): Program =>
  world.run('backup', 'tracker', ['backup', file, '--data-dir', world.path('tracker-data')])
const restoring = (file: string, folder: string): Program =>
  world.run('restore', 'tracker', ['restore', file, '--data-dir', folder])

/** Has users make groups without a pause; `made` counts those that were acknowledged, `stop` ends it. */
async function load(users: readonly string[]): Promise<{ made: () => number; stop: () => Promise<void> }> {
  const address = { host: '127.0.0.1', port: world.trackerPort }
  const clients = await Promise.all(users.map((user) => TestClient.loggedIn(address, user)))
  let made = 0
  const over = new AbortController()
  const loops = clients.map(async (client, index) => {
    for (let count = 0; !over.signal.aborted; count++) {
      const answer = await client.change('create_group', { group: `g-${users[index] ?? ''}-${count}` })
      if (!answer.ok) return
      made++
    }
  })
  const stop = async (): Promise<void> => {
    over.abort()
    await Promise.all(loops)
  }
  return { made: () => made, stop }
}

/**
 * What the log of a data folder had come to at an earlier position, told from a copy, by all entries from the first: on a
 * slow machine there is a snapshot of a later position.
 */
async function stateAt(dataFolder: string, position: number): Promise<string> {
  const copy = `${dataFolder}-until-${position}`
  cpSync(dataFolder, copy, { recursive: true })
  const path = join(copy, 'log.sqlite')
  const database = new DatabaseSync(path)
  database.exec(`DELETE FROM entries WHERE position > ${position}`)
  const tables = database
    .prepare("SELECT name FROM sqlite_master WHERE name IN ('snapshot', 'sections')")
    .all()
  for (const { name } of tables as { name: string }[]) database.exec(`DELETE FROM ${name}`)
  database.close()
  const log = new SqliteLog(path)
  onTestFinished(() => log.close())
  const ignore = (): void => undefined
  const events = { onApplied: ignore, onStateReplaced: ignore, onTrouble: ignore, onLost: ignore }
  const sequencer = new Sequencer(log, events)
  await sequencer.start()
  return `state ${digestOf(sequencer.state)} at log position ${position}`
}

test('backups amid changes have the state at one position, with all that was acknowledged before', async () => {
  const { made, stop } = await load(['ann', 'ben', 'cem'])
  const files: { file: string; before: number }[] = []
  for (const name of ['first', 'second']) {
    const before = made()
    await vi.waitFor(() => expect(made()).toBeGreaterThan(before + 5), { timeout: 30_000 })
    files.push({ file: world.path(name), before: made() })
    const program = saving(world.path(name))
    expect(await program.ended()).toMatchObject({ code: 0 })
    expect(program.stderr).toBe('')
  }
  // So many that a snapshot has been saved.
  await vi.waitFor(() => expect(made()).toBeGreaterThan(2300), { timeout: 60_000 })
  await stop()
  await world.tracker.kill()
  onTestFinished(() => world.startTracker())
  for (const { file, before } of files) {
    const program = restoring(file, `${file}-data`)
    expect(await program.ended()).toMatchObject({ code: 0 })
    const [, position = '', groups = ''] =
      /: log position (\d+), 3 users, (\d+) groups, 1 tracker key$/.exec(program.lines[0] ?? '') ?? []
    expect(Number(groups)).toBeGreaterThanOrEqual(before)
    const restored = await runTracker(`${file}-data`)
    expect(restored.digest()).toBe(await stateAt(world.path('tracker-data'), Number(position)))
  }
}, 120_000)

/** Kills it when it has begun with something in this folder, and after so many more looks there. */
async function killAmid(program: Program, folder: string, looks: number): Promise<void> {
  const before = readdirSync(folder).length
  await vi.waitFor(
    () => expect(program.ending !== undefined || readdirSync(folder).length > before).toBe(true),
    { timeout: 30_000, interval: 1 },
  )
  for (let look = 0; look < looks && program.ending === undefined; look++) {
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
    readdirSync(folder)
  }
  await program.kill()
}

test.each([0, 20, 200])(
  'a backup that is killed after %s looks leaves nothing of its name, or all of it',
  async (looks) => {
    const folder = world.makeFolder(`backups ${looks}`)
    const file = join(folder, 'backup')
    await killAmid(saving(file), folder, looks)
    if (existsSync(file)) expect((await readThrough(file, file)).files).toHaveLength(1)
    await saving(`${file} again`).ended()
    expect(existsSync(`${file} again`)).toBe(true)
  },
)

test.each([0, 20, 200])(
  'a restore that is killed after %s looks leaves no tracker half of it, and goes through later',
  async (looks) => {
    const file = world.path(`to restore ${looks}`)
    await saving(file).ended()
    const folder = world.makeFolder(`restored ${looks}`)
    await killAmid(restoring(file, folder), folder, looks)
    const isWhole = existsSync(join(folder, 'log.sqlite')) && !existsSync(join(folder, 'restoring'))
    if (existsSync(join(folder, 'restoring')))
      await expect(runTracker(folder)).rejects.toThrow(/did not end; run it again/)
    const again = restoring(file, folder)
    await again.ended()
    if (isWhole) expect(again.stderr).toContain('has data already')
    else {
      expect(again.lines[0]).toMatch(/^restored /)
      expect(readdirSync(folder).toSorted()).toEqual(['log.sqlite', 'tracker-1', 'tracker_info.txt'])
    }
    const { position } = await readThrough(file, file)
    expect((await runTracker(folder)).digest()).toMatch(new RegExp(` at log position ${position}$`))
  },
)

test('a restore into the folder of a tracker that runs is refused, and disturbs nothing', async () => {
  const file = world.path('of a running one')
  await saving(file).ended()
  const program = world.run('restore', 'tracker', [
    'restore',
    file,
    '--overwrite',
    '--data-dir',
    world.path('tracker-data'),
  ])
  expect(await program.ended()).toMatchObject({ code: 1 })
  expect(program.stderr).toBe(`error: a tracker uses ${world.path('tracker-data')}; stop it first\n`)
  const { made, stop } = await load(['dora'])
  await vi.waitFor(() => expect(made()).toBeGreaterThan(3))
  await stop()
})
