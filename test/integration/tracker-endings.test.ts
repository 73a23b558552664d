// A tracker that nobody reads any more serves on, and one whose terminal is closed ends in good order.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { World } from './world.ts'

let world: World
beforeAll(() => {
  world = new World()
})
afterAll(() => world.close())

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
    const launcher = fileURLToPath(new URL(`../../${what}`, import.meta.url))
    const given = what === 'tracker' ? words('nohup') : ['127.0.0.1', '0', '127.0.0.1', '9']
    const own = what === 'client' ? ['--data-dir', world.path('nohup client')] : []
    const child = spawn('nohup', [launcher, ...given, ...own], { cwd: world.folder })
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
