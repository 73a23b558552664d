// A client that runs, and others that are started for the same listening address: they are its terminals.

import { symlinkSync, statSync } from 'node:fs'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Program } from './programs.ts'
import { isSame, MiB, World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

/** One more start of this user's client. */
function another(name: string): Program {
  return world.client(name)
}

/** Likewise, of one that has something to say on standard error. */
function loud(name: string, port: number): Program {
  const words = ['127.0.0.1', String(port), '127.0.0.1', String(world.trackerPort)]
  return world.run(name, 'client', [...words, '--data-dir', world.path(name)])
}

test('both give the same answers, each to what was typed into it, and both hear what happens', async () => {
  const [ann, ben] = (await world.users('ann', 'ben')) as [Program, Program]
  const second = another('ann')
  expect(await second.say('whoami')).toBe('ann')
  expect(await second.say('create_group g')).toBe('group g created')
  expect(await ann.ask('list_groups')).toEqual(await second.ask('list_groups'))
  expect(await second.say('create_group g')).toBe('error: there is already a group g')
  await ben.does('join_group g')
  for (const each of [ann, second])
    await each.until('ben asks to join g; to let them in: accept_request g ben')
  expect(await second.quit()).toEqual({ code: 7, signal: null })
  expect(await ann.say('whoami')).toBe('ann')
})

test('a login in one is one in the other, and so is a logout', async () => {
  await world.account('cem')
  const first = world.client('cem')
  expect(await first.say('whoami')).toBe('nobody is logged in')
  const second = another('cem')
  await second.does('login cem secret')
  expect(await first.say('whoami')).toBe('cem')
  await first.does('logout')
  expect(await second.say('whoami')).toBe('nobody is logged in')
  expect(await second.say('logout')).toBe('error: nobody is logged in')
})

test('paths are those of the terminal that they are typed into; a script waits for the download that it began', async () => {
  const dora = await world.user('dora')
  await dora.does('create_group d')
  const path = world.makeFile('report.bin', 1 * MiB)
  const second = another('dora')
  await second.does(`upload_file ${path} d`)
  const eve = await world.user('eve')
  await world.group('e', dora, eve)
  await dora.does(`upload_file ${path} e`)
  await dora.does('limit upload 256K')
  const script = another('eve')
  script.process.stdin.end(`download_file e report.bin ${world.path('eve-report.bin')}\n`)
  await dora.does('limit upload none')
  expect(await script.ended()).toEqual({ code: 0, signal: null })
  expect(script.lines.at(-1)).toBe('[C] [e] report.bin')
  expect(isSame(path, world.path('eve-report.bin'))).toBe(true)
})

test('a script that began no download waits for none', async () => {
  const fay = await world.user('fay')
  const gus = await world.user('gus')
  await world.group('slow', fay, gus)
  const path = world.makeFile('slow.bin', 4 * MiB)
  await fay.does(`upload_file ${path} slow`, 'limit upload 1K')
  await gus.does(`download_file slow slow.bin ${world.path('gus-slow.bin')}`)
  const script = another('gus')
  script.process.stdin.end('show_downloads\n')
  expect(await script.ended()).toEqual({ code: 0, signal: null })
  expect(script.lines).toEqual(['[D] [slow] slow.bin'])
})

test.each(['kill', 'quit'] as const)(
  'when the client ends (%s), its other terminals say so and end',
  async (how) => {
    const name = `host-${how}`
    const host = await world.user(name)
    const second = loud(name, 0)
    await second.say('whoami')
    await host[how]()
    expect(await second.ended()).toEqual({ code: 1, signal: null })
    expect(second.stderr).toBe('error: the client that ran here has ended\n')
    // What was left behind by the one that was killed is in nobody's way.
    const next = await world.again(name)
    const other = loud(name, 0)
    expect(await other.say('whoami')).toBe(name)
    await next.quit()
  },
)

test('several that start at once are one client and its terminals', async () => {
  await world.account('many')
  const all = [1, 2, 3, 4].map(() => world.client('many'))
  for (const each of all) expect(await each.say('whoami')).toBe('nobody is logged in')
  await all[3]?.does('login many secret')
  // The others are told, which takes a moment.
  for (const each of all) await vi.waitFor(async () => expect(await each.say('whoami')).toBe('many'))
})

test('a terminal that stood still for a while goes on', async () => {
  const ina = await world.user('ina')
  const second = another('ina')
  await second.say('whoami')
  second.freeze()
  await ina.does('create_group ina-1')
  second.process.kill('SIGCONT')
  expect(await second.say('create_group ina-1')).toBe('error: there is already a group ina-1')
})

test('the folder counts, by whatever name, and the address: with another one it is no terminal of it', async () => {
  const jan = await world.user('jan')
  symlinkSync(world.path('jan'), world.path('alias'))
  const alias = world.client('jan', { dataFolder: 'alias' })
  expect(await alias.say('whoami')).toBe('jan')
  const elsewhere = loud('jan', jan.process.pid ?? 1)
  expect(await elsewhere.ended()).toEqual({ code: 1, signal: null })
  expect(elsewhere.stderr).toBe(
    'error: another client uses this folder, and listens on 127.0.0.1:0; give this one its own with --data-dir\n',
  )
})

test('nobody but its user can use the socket', async () => {
  await world.user('kim')
  const { mode } = statSync(world.path('kim', 'control.sock'))
  expect((mode & 0o777).toString(8)).toBe('600')
  expect((statSync(world.path('kim')).mode & 0o777).toString(8)).toBe('700')
})

test('events are followed from another terminal until a signal ends it, or the client is gone', async () => {
  const mia = await world.user('mia')
  const follow = (): Program => world.client('mia', { words: ['--json', '-e', 'events'] })
  const [interrupted, left] = [follow(), follow()]
  await mia.does('create_group events')
  // Again and again, since nobody can see when they have begun to listen.
  for (const each of [interrupted, left])
    await vi.waitFor(
      async () => {
        await mia.does('logout', 'login mia secret')
        expect(each.lines).toContain('{"type":"event","event":"user-changed","user":"mia"}')
      },
      { timeout: 20_000 },
    )
  expect(await interrupted.kill('SIGINT')).toEqual({ code: 130, signal: null })
  await mia.quit()
  expect(await left.ended()).toEqual({ code: 1, signal: null })
  expect(left.stderr).toBe('error: the client that ran here has ended\n')
  // It was expected.
  left.stderr = ''
})
