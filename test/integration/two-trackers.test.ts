// Two trackers with one data folder and clients that know both: either may die or hang at any moment, and
// a person notices a short pause at most. Nothing is typed twice, nobody logs in again.

import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { freePorts } from '../free-ports.ts'
import type { Program } from './programs.ts'
import { isSame, MiB, World } from './world.ts'

let world: World
let list: string
const trackers: Program[] = []

async function startTracker(number: number): Promise<void> {
  const words = [list, String(number), '--data-dir', world.path('community')]
  const tracker = world.run(`tracker ${number}`, 'tracker', words)
  trackers[number - 1] = tracker
  await tracker.until(new RegExp(`^tracker ${number} listening on `))
}

function tracker(number: number): Program {
  const found = trackers[number - 1]
  if (found === undefined) throw new Error(`tracker ${number} was not started`)
  return found
}

/** A client of both trackers. */
function client(name: string): Program {
  return world.run(name, 'client', ['127.0.0.1:0', list, '--data-dir', world.path(name)])
}

async function user(name: string): Promise<Program> {
  const made = client(name)
  await made.does(`create_user ${name} secret`, `login ${name} secret`)
  return made
}

/** Types a command that is answered within so many milliseconds. */
async function answers(program: Program, command: string, reply: string, withinMs: number): Promise<void> {
  const startedAtMs = performance.now()
  expect(await program.say(command)).toBe(reply)
  expect(performance.now() - startedAtMs).toBeLessThan(withinMs)
}

/** Waits until both clients are logged in at this tracker. */
async function untilConnected(number: number): Promise<void> {
  await vi.waitFor(
    async () => {
      const asked = tracker(number).mark()
      tracker(number).write('status')
      expect(await tracker(number).until(/^users /, asked)).toContain('connected 2')
    },
    { timeout: 10_000, interval: 20 },
  )
}

async function bothUp(): Promise<void> {
  for (const number of [1, 2]) {
    if (tracker(number).ending !== undefined) await startTracker(number)
    await untilConnected(number)
  }
}

let ann: Program
let ben: Program

beforeAll(async () => {
  world = new World()
  list = world.path('two.txt')
  // Named in a file, since trackers are restarted on them.
  const addresses = (await freePorts(2)).map((port) => `127.0.0.1:${port}`)
  writeFileSync(list, `${addresses.join('\n')}\n`)
  lost = `no tracker answers; transfers go on, and ${addresses.join(', ')} are tried again`
  await Promise.all([startTracker(1), startTracker(2)])
  ;[ann, ben] = await Promise.all([user('ann'), user('ben')])
  await world.group('g', ann, ben)
})
afterAll(() => world.close())
beforeEach(bothUp)

let lost = ''
const back = 'reconnected to the tracker'
/** Far shorter than anything that a person would call a failure, on a machine that is busy with tests. */
const shortPauseMs = 2000

test.each([1, 2])(
  'tracker %i is killed: commands go on at once, nobody logs in, nothing is said',
  async (which) => {
    const since = ann.mark()
    await tracker(which).kill()
    await answers(ann, `create_group killed-${which}`, `group killed-${which} created`, shortPauseMs)
    await answers(ben, 'whoami', 'ben', shortPauseMs)
    await answers(
      ben,
      `join_group killed-${which}`,
      `join request sent to the owner of killed-${which}`,
      shortPauseMs,
    )
    await ann.until(new RegExp(`^ben asks to join killed-${which};`), since)
    expect(ann.lines.slice(since)).not.toContain(lost)
  },
)

test.each([1, 2])('commands under way when tracker %i is killed are done, once each', async (which) => {
  const names = Array.from({ length: 40 }, (_, index) => `burst-${which}-${index}`)
  const since = ann.mark()
  ann.write(...names.map((name) => `create_group ${name}`))
  await ann.until(`group ${names[5]} created`, since)
  await tracker(which).kill()
  await ann.until((line) => line.includes(`${names.at(-1)}`), since)
  // Done twice would be "there is already a group".
  expect(ann.lines.slice(since)).toEqual(names.map((name) => `group ${name} created`))
  const groups = (await ben.ask('list_groups')).map((line) => line.split(' ')[0] ?? '')
  expect(new Set(groups.filter((group) => group.startsWith(`burst-${which}-`)))).toEqual(new Set(names))
})

test('a tracker that hangs costs one pause, and its late answer changes nothing twice', async () => {
  tracker(1).freeze()
  try {
    await answers(ann, 'create_group hung', 'group hung created', 2500 + shortPauseMs)
    await answers(ann, 'create_group hung-too', 'group hung-too created', shortPauseMs)
  } finally {
    tracker(1).process.kill('SIGCONT')
  }
  await untilConnected(1)
  await answers(ann, 'create_group hung', 'error: there is already a group hung', shortPauseMs)
  expect(await digest(1)).toBe(await digest(2))
})

test('one line says that the last tracker is gone, and one that a tracker is back; transfers go on', async () => {
  const path = world.makeFile('long.bin', 6 * MiB)
  await ann.does('limit upload 2M', `upload_file ${path} g`)
  await ben.does('download_file g long.bin ben-long.bin')
  await ben.untilPieces(1)
  const since = ben.mark()
  await tracker(1).kill()
  await tracker(2).kill()
  await ben.until(lost, since)
  await ben.until('[C] [g] long.bin', since)
  expect(isSame(path, world.path('ben-long.bin'))).toBe(true)
  await startTracker(2)
  await ben.until(back, since)
  await startTracker(1)
  await untilConnected(1)
  expect(ben.lines.slice(since).filter((line) => [lost, back].includes(line))).toEqual([lost, back])
  await ann.does('limit upload none')
})

test('a tracker that was restarted has everybody\u2019s announces within seconds', async () => {
  const path = world.makeFile('known.bin', 1 * MiB)
  await ann.does(`upload_file ${path} g`)
  await tracker(1).kill()
  await startTracker(1)
  // The one that knew it all the time goes, so that only the other one can say.
  await tracker(2).kill()
  await ben.askUntil('list_files g', 'known.bin  1048576 bytes  1 seeder')
  const since = ben.mark()
  await ben.does('download_file g known.bin ben-known.bin')
  await ben.until('[C] [g] known.bin', since)
  expect(isSame(path, world.path('ben-known.bin'))).toBe(true)
})

async function digest(number: number): Promise<string> {
  const asked = tracker(number).mark()
  tracker(number).write('digest')
  return tracker(number).until(/^state /, asked)
}
