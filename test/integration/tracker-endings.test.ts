// A tracker that nobody reads any more serves on, as one does whose terminal belongs to another job, and one
// whose terminal is closed ends in good order.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Shell } from '../tracker/support/shell.ts'
import { World } from './world.ts'

let world: World
beforeAll(() => {
  world = new World()
})
afterAll(() => world.close())

function launcherOf(what: 'tracker' | 'client'): string {
  return fileURLToPath(new URL(`../../${what}`, import.meta.url))
}

const words = (folder: string): string[] => ['127.0.0.1', '0', '--data-dir', world.path(folder)]

test('a tracker whose standard error is closed serves, and ends with 0', async () => {
  const tracker = world.run('tracker', 'tracker', [...words('deaf'), '--log-level', 'info'])
  tracker.process.stderr.destroy()
  await tracker.until(/listening on/)
  tracker.write('status')
  await tracker.until(/^users 0/)
  expect(await tracker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
})

test('a hang-up ends a tracker in good order, with 129', async () => {
  const tracker = world.run('tracker', 'tracker', [...words('hung up'), '--log-level', 'info'])
  await tracker.until(/listening on/)
  expect(await tracker.kill('SIGHUP')).toEqual({ code: 129, signal: null })
  expect(tracker.stderr).toContain('"ended"')
})

// Under nohup both programs died by SIGHUP when the terminal was closed, and said nothing to the trackers.
describe('under nohup', () => {
  test.each(['tracker', 'client'] as const)('a hang-up leaves a %s alone', async (what) => {
    const given = what === 'tracker' ? words('nohup') : ['127.0.0.1', '0', '127.0.0.1', '9']
    const own = what === 'client' ? ['--data-dir', world.path('nohup client')] : []
    const child = spawn('nohup', [launcherOf(what), ...given, ...own], { cwd: world.folder })
    let output = ''
    child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()))
    const hears = async (word: string): Promise<void> => {
      while (!output.includes(word)) await once(child.stdout, 'data')
    }
    const [command, answer] = what === 'tracker' ? ['status', 'users 0'] : ['whoami', 'nobody is logged in']
    child.stdin.write(`${command}\n`)
    await hears(answer)
    child.kill('SIGHUP')
    output = ''
    child.stdin.write(`${command}\n`)
    await hears(answer)
    child.stdin.write('quit\n')
    expect(await once(child, 'exit')).toEqual([0, null])
    expect(existsSync(world.path('nohup.out'))).toBe(false)
  })
})

// The first key that was pressed at its shell stopped it, and its clients hung.
test('a tracker in the background of a shell serves on while others type there, and obeys after fg', async () => {
  const shell = await Shell.start({ HOME: world.path('home') })
  shell.type(`'${launcherOf('tracker')}' ${words('job').join(' ')} &\n`)
  const port = (await shell.see(/listening on 127\.0\.0\.1:\d+/)).split(':')[1] ?? ''
  await shell.answer()
  expect(await shell.job()).toBe('Running')
  const client = world.run('ann', 'client', ['127.0.0.1', '0', '127.0.0.1', port])
  await client.does('create_user ann secret')
  shell.type('fg\n')
  shell.type('status\n')
  await shell.see(/users 1,/)
  shell.type('quit\n')
  // Only then: what is typed ahead may be read by the tracker, as a further command of its own.
  await shell.prompt()
  await shell.answer()
})

test('standard input that is a file is obeyed to its end, and one that is closed is none', async () => {
  writeFileSync(world.path('typed'), 'status\nnonsense\n')
  for (const [input, said] of [
    [`<'${world.path('typed')}'`, /^error: there is no command "nonsense"/],
    ['<&-', /listening on/],
  ] as const) {
    const through = ['sh', '-c', `exec "$@" ${input}`, 'sh', process.execPath]
    const tracker = world.run('tracker', 'tracker', words(input === '<&-' ? 'closed' : 'file'), { through })
    await tracker.until(said)
    expect(tracker.ending).toBeUndefined()
    expect(await tracker.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  }
})
