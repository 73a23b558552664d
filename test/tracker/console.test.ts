// What can be typed at a running tracker.

import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import type { Operator } from '../../src/tracker/operator.ts'
import { readConsole } from '../../src/tracker/console.ts'

async function typed(...lines: string[]): Promise<string[]> {
  const input = new PassThrough()
  const replies: string[] = []
  readConsole(input, (line) => replies.push(line), {
    status: () => 'the status',
    digest: () => 'the digest',
    quit: () => replies.push('(quits)'),
    operator: {} as Operator,
  })
  input.end(lines.map((line) => `${line}\n`).join(''))
  await once(input, 'close')
  return replies
}

test('each word gets its answer, an unknown one a sentence', async () => {
  expect(await typed('status', '', ' digest ', 'statsu')).toEqual([
    'the status',
    'the digest',
    'error: there is no command "statsu"; help lists the commands',
  ])
})

test('help has a line for each command', async () => {
  const lines = await typed('help')
  expect(lines.map((line) => line.slice(0, line.indexOf(':')))).toEqual([
    'status',
    'digest',
    'quota [name] [value]',
    'trackers',
    'revoke_tracker <tracker>',
    'registration [mode]',
    'invite',
    'reset_password <user>',
    'remove_user <user>',
    'quit',
    'help',
  ])
  for (const line of lines) expect(line).toMatch(/^\w+[\w <>[\]]*: \w[\w ,:;]+$/)
})

test('a command with words that it does not take is refused', async () => {
  expect(await typed('status of it', 'quit now')).toEqual([
    'error: wrong number of words; type status',
    'error: wrong number of words; type quit',
  ])
})

test('quit and exit quit; the end of the input does not', async () => {
  expect(await typed('quit')).toEqual(['(quits)'])
  expect(await typed('exit')).toEqual(['(quits)'])
  expect(await typed()).toEqual([])
})

test('what would confuse a terminal is not echoed', async () => {
  expect((await typed('\u001b[2Jx')).join('')).not.toContain('\u001b')
})
