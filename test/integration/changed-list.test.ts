// A list of trackers gets a line: its community stays what it was, for the trackers of the new line too.

import { readdirSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePorts } from '../free-ports.ts'
import type { Program } from './programs.ts'
import { World } from './world.ts'

let world: World
beforeAll(() => {
  world = new World()
})
afterAll(() => world.close())

function tracker(list: string, number: number): Program {
  return world.run(`tracker ${number}`, 'tracker', [list, String(number)])
}

async function digest(of: Program): Promise<string> {
  of.write('digest')
  return of.until(/^state .* at log position /)
}

test('trackers of a list that got lines have the data of the shorter one, started all at the same time', async () => {
  const lines = (await freePorts(3)).map((port) => `127.0.0.1:${port}\n`)
  const list = world.path('list.txt')
  writeFileSync(list, lines[1] ?? '')
  const first = tracker(list, 1)
  await first.until(/listening on/)
  const port = lines[1]?.trim().split(':')[1] ?? ''
  const ann = world.run('ann', 'client', ['127.0.0.1', '0', '127.0.0.1', port])
  await ann.does('create_user ann secret')
  expect(await first.kill('SIGTERM')).toMatchObject({ code: 0 })
  expect(first.stderr).toBe('')

  writeFileSync(list, lines.join(''))
  const all = [1, 2, 3].map((number) => tracker(list, number))
  for (const each of all) {
    await each.until(/listening on/)
    each.write('status')
    expect(await each.until(/^users /)).toMatch(/^users 1,/)
  }
  const folders = readdirSync(world.path('home', 'data', 'coterie')).filter((name) =>
    name.startsWith('tracker'),
  )
  expect(folders).toEqual([`tracker-127.0.0.1_${port}`])
  // One that looks later than another has started finds the folder to be that of the new list already.
  const said = new Set(all.map(({ stderr }) => stderr).filter((text) => text !== ''))
  expect(said.size).toBeGreaterThan(0)
  for (const text of said)
    expect(text).toMatch(/^\{.*the list of trackers has changed; its data stays in \/.*\}\n$/)
  const digests = await Promise.all(all.map(digest))
  expect(new Set(digests).size).toBe(1)
})

test('a tracker that cannot save its list says so and serves', async () => {
  world.makeFolder('full', 'tracker_info.txt')
  const full = world.run('tracker', 'tracker', ['127.0.0.1', '0', '--data-dir', world.path('full')])
  await full.until(/listening on/)
  expect(full.stderr).toMatch(/^\{.*cannot save the list of trackers in \/.*\/full: it is a folder"\}\n$/)
  full.write('status')
  await full.until(/^users 0/)
})
