// How the programs start and end: one sentence for what is wrong, the right exit code, nothing left over.

import { once } from 'node:events'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Program, What } from './programs.ts'
import { World } from './world.ts'

let world: World
let taken: Server
let takenPort: number

beforeAll(async () => {
  world = await World.make()
  taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  takenPort = (taken.address() as AddressInfo).port
})
afterAll(async () => {
  taken.close()
  await world.close()
})

/** Runs to its end; one line on standard error, nothing else, and this exit code. */
async function refuses(
  what: What,
  words: readonly string[],
  code: number,
  dataFolder = 'refused',
): Promise<string> {
  const program = world.run('program', what, [...words, '--data-dir', world.path(dataFolder)])
  program.process.stdin.end()
  expect(await program.ended()).toEqual({ code, signal: null })
  expect(program.stderr).toMatch(/^error: [^\n]+\n$/)
  expect(program.stderr).not.toMatch(/\n {4}at |node:internal/)
  expect(program.lines).toEqual([])
  return program.stderr.trim()
}

describe('a tracker that cannot start', () => {
  test('says that its port is in use', async () => {
    expect(await refuses('tracker', ['127.0.0.1', String(takenPort)], 1)).toBe(
      `error: cannot listen on 127.0.0.1:${takenPort}: another program uses this port`,
    )
  })

  test('says what is wrong with its file, and with the number of its line', async () => {
    writeFileSync(world.path('list.txt'), '# two\n127.0.0.1:1\n\n127.0.0.1:2\n')
    writeFileSync(world.path('broken.txt'), 'no address\n')
    writeFileSync(world.path('locked.txt'), '127.0.0.1:1\n')
    chmodSync(world.path('locked.txt'), 0)
    expect(await refuses('tracker', ['missing.txt', '1'], 2)).toMatch(
      /missing\.txt.*there is no such file or folder$/,
    )
    expect(await refuses('tracker', [world.folder, '1'], 2)).toMatch(/it is a folder$/)
    expect(await refuses('tracker', ['list.txt', '3'], 2)).toMatch(/3/)
    expect(await refuses('tracker', ['list.txt', '0'], 2)).toMatch(/number 1 is the first line$/)
    expect(await refuses('tracker', ['broken.txt', '1'], 2)).toMatch(/broken\.txt/)
    expect(await refuses('tracker', ['127.0.0.1', '70000'], 2)).toMatch(/70000/)
    expect(await refuses('tracker', [], 2)).toBe(
      'error: the trackers are missing: ./tracker tracker_info.txt 1',
    )
  })

  test('beyond this machine it prints its line for the list of trackers, and with another key in it, it does not start', async () => {
    const open = world.run('tracker', 'tracker', ['0.0.0.0', '0', '--memory'])
    await open.until(/^tracker 1 listening on 0\.0\.0\.0:\d+$/)
    await open.until(/^for the list of trackers: 0\.0\.0\.0:\d+ sha256:[A-Za-z0-9_-]{43}$/)
    expect(await open.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    writeFileSync(world.path('other-key.txt'), `127.0.0.1:0 sha256:${'A'.repeat(43)}\n`)
    expect(await refuses('tracker', ['other-key.txt', '1'], 1)).toMatch(
      /^error: the list says that this tracker has the key sha256:A{43}, but it has sha256:\S{43}; correct its line in every list$/,
    )
  })
})

describe('a tracker that is watched', () => {
  test('answers Prometheus where it says, and logs a line of JSON for what happens', async () => {
    const words = ['127.0.0.1', '0', '--memory', '--metrics', '0', '--log-level', 'info']
    const tracker = world.run('watched', 'tracker', words)
    const line = await tracker.until(/^metrics on /)
    await tracker.until(/listening on/)
    const text = await (await fetch(line.replace('metrics on ', ''))).text()
    expect(text).toMatch(/^coterie_connections 0$/m)
    tracker.write('status')
    await tracker.until(
      /^users 0, groups 0, files 0, connected 0, log position 2, level 3, lag 0 entries, \d+ ms$/,
    )
    expect(await tracker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    const logged = tracker.stderr.trimEnd().split('\n')
    expect(logged.map((each) => JSON.parse(each).msg)).toEqual([
      'starting',
      'the state has a new level',
      'serving',
      'ending',
      'ended',
    ])
  })
})

describe('a client that cannot start', () => {
  test('says what is wrong with its words, its file, or its port', async () => {
    const address = ['127.0.0.1', '0']
    const tracker = ['127.0.0.1', String(world.trackerPort)]
    expect(await refuses('client', ['127.0.0.1', String(takenPort), ...tracker], 1)).toMatch(
      /another program uses this port$/,
    )
    expect(await refuses('client', ['127.0.0.1:0', 'missing.txt'], 2)).toMatch(
      /there is no such file or folder$/,
    )
    expect(await refuses('client', ['127.0.0.1:0'], 2)).toMatch(/tracker_info\.txt/)
    expect(await refuses('client', ['nonsense'], 2)).toMatch(/nonsense/)
    expect(await refuses('client', ['127.0.0.1', '3000'], 2)).toMatch(/the tracker is missing/)
    expect(await refuses('client', [...address, ...tracker, '--upload-limit', 'fast'], 2)).toMatch(/fast/)
    expect(await refuses('client', [...address, ...tracker, '--unknown'], 2)).toMatch(/--unknown/)
  })

  test('says that others could not reach it', async () => {
    const far = ['192.0.2.1', '9002']
    const unreachable =
      'error: others who use the tracker 192.0.2.1:9002 cannot reach 127.0.0.1; listen on an address of this machine in their network, or on 0.0.0.0'
    expect(await refuses('client', ['127.0.0.1', '0', ...far], 2)).toBe(unreachable)
    expect(await refuses('client', ['127.0.0.1', '0', ...far, '--insecure-plain'], 2)).toBe(unreachable)
  })

  // Raw text of the system: "EEXIST: file already exists, mkdir …", "listen EADDRNOTAVAIL: address not available …".
  test('says in words what the system does not let it have, as a tracker does', async () => {
    const file = world.path('a-file')
    writeFileSync(file, '')
    for (const what of ['client', 'tracker'] as const) {
      const nowhere = ['192.0.2.1', '9002', ...(what === 'client' ? ['192.0.2.2', '1'] : [])]
      expect(await refuses(what, nowhere, 1)).toBe(
        'error: cannot listen on 192.0.2.1:9002: this machine does not have that address',
      )
      const here = ['127.0.0.1', '0', ...(what === 'client' ? ['127.0.0.1', '1'] : [])]
      expect(await refuses(what, here, 1, 'a-file')).toBe(
        `error: cannot make the data folder ${file}: something of that name exists already`,
      )
      expect(await refuses(what, here, 1, 'a-file/below')).toBe(
        `error: cannot make the data folder ${file}/below: there is a file where a folder is needed`,
      )
    }
  })

  test('with no tracker running it starts, says so at the first command that needs one, and exits with 3', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    const words = ['127.0.0.1', '0', '127.0.0.1', String(port), '--data-dir', world.path('lonely')]
    const client = world.run('lonely', 'client', words)
    client.process.stdin.end('create_user abc abc\nwhoami\n')
    expect(await client.ended()).toEqual({ code: 3, signal: null })
    expect(client.lines).toEqual([
      `error: no answer from tracker 127.0.0.1:${port}; is it running?`,
      'nobody is logged in',
    ])
    expect(client.stderr).toBe('')
  })
})

// "Is one running?", though it was: a client on an IPv4 address called an IPv6 tracker from there.
test('a client on 127.0.0.1 uses a tracker on ::1', async () => {
  const tracker = world.run('six', 'tracker', ['::1', '0', '--memory'])
  const port = /\d+$/.exec(await tracker.until(/^tracker 1 listening on \[::1\]:\d+$/))![0]
  const words = ['127.0.0.1', '0', '::1', port, '--data-dir', world.path('four')]
  const client = world.run('four', 'client', words)
  client.process.stdin.end('create_user abc abc\n')
  expect(await client.ended()).toEqual({ code: 0, signal: null })
  expect(await tracker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
})

describe('ending', () => {
  async function expectEnd(program: Program, how: 'quit' | 'SIGINT' | 'SIGTERM', code = 0): Promise<void> {
    if (how === 'quit') program.write('quit')
    else program.process.kill(how)
    expect(await program.ended()).toEqual({ code, signal: null })
    expect(program.stderr).not.toMatch(/error/i)
  }

  test.each(['quit', 'SIGINT', 'SIGTERM'] as const)('a tracker ends with 0 by %s', async (how) => {
    const tracker = world.run('tracker', 'tracker', ['127.0.0.1', '0', '--memory'])
    // From this line on a signal ends it in good order.
    await tracker.until(/listening/)
    await expectEnd(tracker, how)
  })

  test.each([
    ['quit', 0],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('a script is ended by %s with %i, also in the middle of a download', async (how, code) => {
    const client = await world.user(`ends-${how}`, { words: ['--download-limit', '64K'] })
    await client.does(`create_group of-${how}`)
    const seeder = await world.user(`seeds-${how}`)
    await seeder.does(`join_group of-${how}`)
    await client.does(`accept_request of-${how} seeds-${how}`)
    await seeder.does(`upload_file ${world.makeFile(`of-${how}.bin`, 2_000_000)} of-${how}`)
    await client.does(`download_file of-${how} of-${how}.bin copy-${how}`)
    await expectEnd(client, how, code)
    await expectEnd(seeder, how, code)
  })

  test('the end of its standard input does not end a tracker', async () => {
    const tracker = world.run('tracker', 'tracker', ['127.0.0.1', '0', '--memory'])
    tracker.process.stdin.end()
    const address = (await tracker.until(/listening/)).split(' ').at(-1)
    writeFileSync(world.path('its-address.txt'), `${address}\n`)
    const words = ['127.0.0.1:0', 'its-address.txt', '--data-dir', world.path('its-client')]
    const client = world.run('client', 'client', words)
    expect(await client.say('create_user abc abc')).toBe('user abc created')
    await expectEnd(client, 'quit')
    await expectEnd(tracker, 'SIGTERM')
  })

  test('--linger keeps sharing after the end of the commands, until a signal comes', async () => {
    const seeder = world.client('lingerer', { words: ['--linger'] })
    const path = world.makeFile('lasting.bin', 1000)
    seeder.process.stdin.end(
      `create_user lin secret\nlogin lin secret\ncreate_group lasting\nupload_file ${path} lasting\n`,
    )
    await seeder.until(/^sharing lasting\.bin/)
    // Longer than a client without --linger lives: another one comes and goes meanwhile.
    const other = world.client('goer')
    other.process.stdin.end('create_user goer secret\nlogin goer secret\njoin_group lasting\n')
    expect(await other.ended()).toEqual({ code: 0, signal: null })
    await seeder.until(/goer asks to join lasting/)
    await expectEnd(seeder, 'SIGTERM')
  })
})
