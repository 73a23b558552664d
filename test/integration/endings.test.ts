// How a client ends: the exit code says how it went in every way to end, and what it held is free again.

import { once } from 'node:events'
import { spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { claimFolder } from '../../src/client/storage/folder-claim.ts'
import { TestClient } from '../tracker/support/test-client.ts'
import type { Program } from './programs.ts'
import { isSame, MiB, World } from './world.ts'

let world: World
let seeder: Program
let count = 0

/** Big enough for workers to store it; and one that takes far longer than a test. */
const big = 'big.bin'
const slow = 'slow.bin'

beforeAll(async () => {
  world = await World.make()
  seeder = await world.user('seeder')
  await seeder.does('create_group g')
  for (const [name, sizeBytes] of [
    [big, 24 * MiB],
    [slow, 8 * MiB],
  ] as const)
    await seeder.does(`upload_file ${world.makeFile(name, sizeBytes)} g`)
})
afterAll(() => world.close())

/** A user who is a member of the group, made by another client than that which is tried. */
async function member(): Promise<string> {
  const name = `member-${++count}`
  await world.account(name)
  const other = await TestClient.connect({ host: '127.0.0.1', port: world.trackerPort })
  await other.hello()
  expect(await other.login(name, 'secret')).toMatchObject({ ok: true })
  await other.change('join_group', { group: 'g' })
  other.caller.close()
  await seeder.does(`accept_request g ${name}`)
  return name
}

/** Lines that fail once, where `fails`, and begin to download the file, where there is one. */
function script(user: string, { fails, file }: { fails: boolean; file?: string }): string {
  return [
    `login ${user} secret`,
    ...(fails ? ['join_group nowhere'] : []),
    ...(file === undefined ? [] : [`download_file g ${file} ${user}-copy`]),
    '',
  ].join('\n')
}

/** Another program can use the folder at once: this one claims it as a client does. */
async function expectFree(dataFolder: string): Promise<void> {
  const giveBack = await claimFolder(world.path(dataFolder))
  expect(giveBack).toBeDefined()
  giveBack?.()
}

const outcomes = [
  ['all went well', false, 0],
  ['a command failed', true, 6],
] as const

describe.each(outcomes)('when %s', (_how, fails, code) => {
  // Closing waited for threads that keep no program alive: Node ended with 0, before the code was set.
  test.each([
    ['without threads', undefined],
    ['with threads that store pieces', big],
  ])('a script ends with the right code at the end of its input, %s', async (_what, file) => {
    const user = await member()
    const client = world.client(user)
    client.process.stdin.end(script(user, { fails, ...(file !== undefined && { file }) }))
    expect(await client.ended()).toEqual({ code, signal: null })
    if (file !== undefined) {
      expect(client.lines.at(-1)).toBe(`[C] [g] ${file}`)
      expect(isSame(world.path(file), world.path(`${user}-copy`))).toBe(true)
    }
    await expectFree(user)
  })

  test.each([
    ['without threads', undefined],
    ['with threads that store pieces', big],
    ['in the middle of a download', slow],
  ])('and by quit, %s', async (_what, file) => {
    const user = await member()
    const client = world.client(user, { words: file === slow ? ['--download-limit', '256K'] : [] })
    const last = file === undefined ? 'whoami' : file === big ? 'wait' : 'show_downloads'
    client.process.stdin.write(
      `${script(user, { fails, ...(file !== undefined && { file }) })}${last}\nquit\n`,
    )
    expect(await client.ended()).toEqual({ code, signal: null })
    expect(client.lines.at(-1)).toBe('bye')
    await expectFree(user)
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('a script that is cut short by %s ends with %i', async (signal, signalCode) => {
    const user = await member()
    const client = world.client(user, { words: ['--download-limit', '4M'] })
    client.process.stdin.end(script(user, { fails, file: big }))
    await client.until(/^downloading /)
    await waitForPart(user)
    expect(await client.kill(signal)).toEqual({ code: signalCode, signal: null })
    expect(client.stderr).toBe('')
    // The trackers were told: nobody has to wait for them to miss it.
    expect(await seeder.ask('list_files g')).toContain(`${big}  ${24 * MiB} bytes  1 seeder`)
    await expectFree(user)
  })

  test('one that lingers was through when a signal ends it', async () => {
    const user = await member()
    const client = world.client(user, { words: ['--linger'] })
    client.process.stdin.end(script(user, { fails, file: big }))
    await client.until(`[C] [g] ${big}`)
    await seeder.askUntil('list_files g', `${big}  ${24 * MiB} bytes  2 seeders`)
    expect(await client.kill('SIGTERM')).toEqual({ code, signal: null })
    await expectFree(user)
  })

  test('when nobody reads its output any more the code is 1', async () => {
    const user = await member()
    const client = world.client(user)
    client.process.stdout.destroy()
    client.process.stdin.end(script(user, { fails }))
    expect(await client.ended()).toEqual({ code: 1, signal: null })
    expect(client.stderr).toBe('')
    await expectFree(user)
  })

  test('a bug ends it with 1, says where it is, and the folder is free', async () => {
    const user = await member()
    const bug = "process.on('SIGUSR2', () => { throw new TypeError('a bug') })"
    const client = strange(user, [process.execPath], {
      NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(bug)}"`,
    })
    client.write(...script(user, { fails }).trim().split('\n'), 'whoami')
    await client.until(user)
    expect(await client.kill('SIGUSR2')).toEqual({ code: 1, signal: null })
    expect(client.stderr).toContain('TypeError: a bug\n    at ')
    await expectFree(user)
  })
})

/** A client that is started through other words, or in other surroundings; its standard error may say something. */
function strange(name: string, through: readonly string[], env = {}): Program {
  const words = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort), '--data-dir', world.path(name)]
  return world.run(name, 'client', words, { through, env })
}

async function waitForPart(user: string): Promise<void> {
  while (!existsSync(world.path(`${user}-copy.part`))) await new Promise((resolve) => setImmediate(resolve))
}

test('one that lingers for a download that is not through is cut short by a signal', async () => {
  const user = await member()
  const client = world.client(user, { words: ['--linger', '--download-limit', '256K'] })
  client.process.stdin.end(script(user, { fails: false, file: slow }))
  await client.until(/^downloading /)
  await waitForPart(user)
  expect(await client.kill('SIGTERM')).toEqual({ code: 143, signal: null })
})

test('a second signal ends it at once, though nobody reads what it has written', async () => {
  const user = await member()
  const client = strange(user, [process.execPath])
  expect(await client.say('whoami')).toBe('nobody is logged in')
  client.process.stdout.pause()
  const lines = Array.from({ length: 3000 }, () => 'help').join('\n')
  // It reads all of this, says what fits, and waits for its reader.
  await new Promise((resolve) => client.process.stdin.write(`${lines}\nquit\n`, resolve))
  client.process.kill('SIGINT')
  client.process.kill('SIGTERM')
  const exited = await once(client.process, 'exit')
  expect([130, 143]).toContain(exited[0])
})

// More than a pipe holds: the rest was thrown away by process.exit.
test('a long last reply reaches a reader that is slow, whole', async () => {
  const client = strange('long', [process.execPath])
  client.process.stdout.pause()
  const replies = 400
  client.process.stdin.end(`${Array.from({ length: replies }, () => 'help').join('\n')}\nquit\n`)
  const exited = once(client.process, 'exit')
  // The input is read to its end, so all is written, and it has not ended for it.
  await once(client.process.stdin, 'finish')
  client.process.stdout.resume()
  expect(await exited).toEqual([0, null])
  await client.ended()
  expect(client.lines.at(-1)).toBe('bye')
  const first = client.lines.filter((line) => line === client.lines[0]).length
  expect(first).toBe(replies)
})

test('a program of which standard error cannot be written runs and ends as any other', async () => {
  const user = await member()
  const client = strange(user, [process.execPath])
  client.process.stderr.destroy()
  client.process.stdin.end(script(user, { fails: true, file: big }))
  expect(await client.ended()).toEqual({ code: 6, signal: null })
  expect(client.lines.at(-1)).toBe(`[C] [g] ${big}`)
})

// Node reads a folder as empty input: the client said nothing and ended with 0.
test('a folder in place of commands is no script that went well', () => {
  const main = fileURLToPath(new URL('../../dist/client/main.js', import.meta.url))
  const words = ['127.0.0.1', '0', '127.0.0.1', '1', '--data-dir', world.path('never-made')]
  const folder = openSync(world.path(), 'r')
  try {
    const { status, stderr } = spawnSync(process.execPath, [main, ...words], {
      stdio: [folder, 'pipe', 'pipe'],
      encoding: 'utf8',
    })
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: 'error: the commands cannot be read: standard input is a folder, not a file\n',
    })
  } finally {
    closeSync(folder)
  }
})
