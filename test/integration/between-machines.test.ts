// Plays the chapter "Between machines" of README.md, word for word, on machines of their own: namespaces. Skipped where
// these cannot be made.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Machines } from './machines.ts'
import type { Program, What } from './programs.ts'
import { blocksIn, foundIn } from './recording-proxy.ts'
import { isSame, MiB, World } from './world.ts'

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const chapter = readme.split(/^## /m).find((part) => part.startsWith('Between machines\n')) ?? ''
const blocks = Array.from(chapter.matchAll(/^```sh\n([^]*?)^```/gm), ([, lines = '']) =>
  lines.trim().split('\n'),
)
const [trackerHost = '', annHost = ''] = [...new Set(chapter.match(/192\.168\.\d+\.\d+/g))]
/** The README leaves the addresses of further machines to the reader. */
const benHost = annHost.replace(/\d+$/, '30')

const names = { ann: 'annabel-lee-1849', ben: 'benjamin-button-1922', group: 'the-secret-society' }
const file = 'plans-for-the-moon.bin'
const password = 'correct-horse-battery-staple'

const opened = Machines.open([trackerHost, annHost, benHost])
/** As `npm test` says it at its end. */
const skipped = 'why' in opened ? ` (skipped: ${opened.why.replaceAll(/[()]/g, ' ')})` : ''
let world: World
beforeAll(() => {
  world = new World()
})
afterAll(async () => {
  await world.close()
  if ('machines' in opened) opened.machines.close()
})

/** Types the lines of a block at a machine; the last one starts a program, which goes on. */
function type(machines: Machines, host: string, lines: readonly string[]): Program {
  const cwd = world.makeFolder(host)
  const [command = '', ...words] = (lines.at(-1) ?? '').split(' ')
  const { status, stderr } = spawnSync('sh', ['-euc', lines.slice(0, -1).join('\n')], {
    cwd,
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([0, ''])
  const what = command.replace('./', '') as What
  const through = [...machines.at(host), process.execPath]
  return world.run(host, what, words, { cwd, through, home: world.path(host, 'home') })
}

/** What a program that speaks plainly is told at this port, from this machine. */
function toldPlainly(machines: Machines, host: string, target: string, port: number): string {
  const speak = `
    const socket = require('node:net').connect(${port}, '${target}')
    socket.pipe(process.stdout)
    socket.write('{"jsonrpc":"2.0","id":0,"method":"hello"}\\n')`
  const words = [...machines.at(host), process.execPath, '-e', speak]
  return spawnSync('env', words, { encoding: 'utf8', timeout: 20_000 }).stdout
}

describe.skipIf(skipped !== '')(`between machines${skipped}`, () => {
  const { machines } = opened as { machines: Machines }

  test('what README says about several machines works as it stands there, and nobody on the way learns a word', async () => {
    expect(blocks.map((lines) => lines.length)).toEqual([2, 2])
    const [ofTracker = [], ofClient = []] = blocks
    const frames = world.path('frames')
    const recording = await machines.record(frames)

    const tracker = type(machines, trackerHost, ofTracker)
    const said = await tracker.until(/^for the list of trackers: /)
    const line = said.replace('for the list of trackers: ', '')
    // "On every machine, put that line into the file, and start a client with the machine's own address."
    const clientAt = (host: string): Program =>
      type(
        machines,
        host,
        ofClient.map((each) => each.replace(/'[^']+'/, `'${line}'`).replace(annHost, host)),
      )
    const [ann, ben] = [clientAt(annHost), clientAt(benHost)]
    for (const [client, user] of [
      [ann, names.ann],
      [ben, names.ben],
    ] as const)
      await client.does(`create_user ${user} ${password}`, `login ${user} ${password}`)
    const original = world.makeFile(file, 4 * MiB)
    await ann.does(`create_group ${names.group}`, `upload_file ${original} ${names.group}`)
    await ben.does(`join_group ${names.group}`)
    await ann.does(`accept_request ${names.group} ${names.ben}`)
    await ben.until(`you are now a member of ${names.group}`)
    await ben.does(`download_file ${names.group} ${file} ${world.makeFolder('fetched')}`)
    await ben.until(`[C] [${names.group}] ${file}`)
    expect(isSame(world.path('fetched', file), original)).toBe(true)
    expect((await ben.ask('show_downloads --details')).join('\n')).toContain(`${names.ann}@${annHost}:4444`)

    // Last, so that all else has been recorded when this is.
    const sentence = 'only encrypted connections are taken here; update this program, or start it with --tls'
    for (const [target, port] of [
      [trackerHost, 9002],
      [annHost, 4444],
    ] as const)
      expect(toldPlainly(machines, benHost, target, port)).toContain(sentence)
    const passed = await recording.until((bytes) => bytes.indexOf(sentence, bytes.indexOf(sentence) + 1) > 0)
    expect(passed.length).toBeGreaterThan(4 * MiB)
    const taken = { said: passed, heard: Buffer.alloc(0) }
    expect(foundIn(taken, { ...names, file, password, login: 'login_start', ticket: '"ticket"' })).toEqual([])
    expect(blocksIn(taken, readFileSync(original))).toBe(0)
  })

  test('a client that encrypts nothing is told why a tracker on another machine does not take it', async () => {
    const plain = type(machines, benHost, [
      `echo ${trackerHost}:9002 > plain.txt`,
      `./client --insecure-plain ${benHost}:4445 plain.txt`,
    ])
    expect((await plain.ask('create_user cem secret')).join('\n')).toContain(
      `the tracker ${trackerHost}:9002 says: only encrypted connections are taken here`,
    )
  })
})
