// Commands that are given on the command line, in files and with JSON, to the real client.

import { chmodSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { isSame, MiB, World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

interface Ran {
  readonly code: number | null
  readonly lines: readonly string[]
  readonly stderr: string
}

/** Runs the client of this user to its end, with nothing on its standard input. */
async function run(user: string, words: readonly string[], env = {}): Promise<Ran> {
  const all = [
    '127.0.0.1',
    '0',
    '127.0.0.1',
    String(world.trackerPort),
    '--data-dir',
    world.path(user),
    ...words,
  ]
  const program: Program = world.run(user, 'client', all, { env })
  program.process.stdin.end()
  const { code } = await program.ended()
  return { code, lines: program.lines, stderr: program.stderr }
}

test('commands run in their order, in a client that is started for them', async () => {
  await world.account('ann')
  const script = world.path('script.txt')
  writeFileSync(script, '# makes a group\ncreate_group ann-1\n\nlist_groups\n')
  expect(await run('ann', ['-e', 'login ann secret', '-f', script, '-e', 'whoami\nlogout'])).toEqual({
    code: 0,
    lines: [
      'logged in as ann',
      'group ann-1 created',
      'ann-1  owner ann  1 member  you are the owner',
      'ann',
      'logged out',
    ],
    stderr: '',
  })
})

test('the first that fails stops them, with its code and a sentence on standard error; --keep-going goes on', async () => {
  await world.account('ben')
  const words = ['-e', 'login ben secret', '-e', 'join_group nowhere', '-e', 'whoami']
  const failed = { code: 6, stderr: 'error: there is no group nowhere\n' }
  expect(await run('ben', words)).toEqual({ ...failed, lines: ['logged in as ben'] })
  expect(await run('ben', [...words, '--keep-going'])).toEqual({
    ...failed,
    lines: ['logged in as ben', 'ben'],
  })
})

test('in a client that runs they run there, and it goes on', async () => {
  const cem = await world.user('cem')
  expect(await run('cem', ['-e', 'create_group cem-1', '-e', 'whoami'])).toEqual({
    code: 0,
    lines: ['group cem-1 created', 'cem'],
    stderr: '',
  })
  expect(await cem.say('whoami')).toBe('cem')
})

test('a download is waited for, whoever runs it', async () => {
  const dora = await world.user('dora')
  const eve = await world.user('eve')
  await world.group('d', dora, eve)
  const path = world.makeFile('d.bin', 2 * MiB)
  await dora.does(`upload_file ${path} d`)
  const there = await run('eve', ['-e', `download_file d d.bin ${world.path('one.bin')}`])
  expect([there.code, there.lines.at(-1)]).toEqual([0, '[C] [d] d.bin'])
  await eve.quit()
  const words = ['-e', 'login eve secret', '-e', `download_file d d.bin ${world.path('two.bin')}`]
  const here = await run('eve', words)
  expect([here.code, here.lines.at(-1)]).toEqual([0, '[C] [d] d.bin'])
  for (const copy of ['one.bin', 'two.bin']) expect(isSame(path, world.path(copy))).toBe(true)
})

test('a password comes from a file that nobody else can read, or from the environment', async () => {
  await world.account('fay')
  const file = world.path('password')
  writeFileSync(file, 'secret\n', { mode: 0o600 })
  const words = ['-e', 'login fay', '-e', 'whoami']
  const good = { code: 0, lines: ['logged in as fay', 'fay'], stderr: '' }
  expect(await run('fay', [...words, '--password-file', file])).toEqual(good)
  expect(await run('fay', words, { COTERIE_PASSWORD: 'secret' })).toEqual(good)
  expect(await run('fay', words, { COTERIE_PASSWORD: 'guess' })).toMatchObject({ code: 4 })
  expect(await run('fay', words)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--password-file'),
  })
  chmodSync(file, 0o644)
  expect(await run('fay', [...words, '--password-file', file])).toEqual({
    code: 2,
    lines: [],
    stderr: `error: others can read the password in ${file}; run: chmod 600 ${file}\n`,
  })
})

test('with JSON each reply and event is an object, refusals too', async () => {
  await world.account('gus')
  const words = [
    '--json',
    '--keep-going',
    '-e',
    'login gus secret',
    '-e',
    'create_group gus-1',
    '-e',
    'leave_group x',
  ]
  const { code, lines, stderr } = await run('gus', words)
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { type: 'reply', ok: true, command: 'login', user: 'gus' },
    { type: 'event', event: 'user-changed', user: 'gus' },
    { type: 'reply', ok: true, command: 'create_group', group: 'gus-1', hidden: false },
    { type: 'reply', ok: false, command: 'leave_group', code: 'no-such-group', error: 'there is no group x' },
  ])
  expect([code, stderr]).toEqual([6, ''])
})

test('without a tracker the code says so', async () => {
  const words = ['127.0.0.1:0', '--data-dir', world.path('alone'), '-e', 'login ann secret']
  writeFileSync(world.path('nobody.txt'), '127.0.0.1:1\n')
  const program = world.run('alone', 'client', [
    words[0] as string,
    world.path('nobody.txt'),
    ...words.slice(1),
  ])
  expect(await program.ended()).toEqual({ code: 3, signal: null })
  expect(program.stderr).toBe('error: no answer from tracker 127.0.0.1:1; is it running?\n')
})
