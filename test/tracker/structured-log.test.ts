// What a tracker writes into its log: one line of JSON each, worth reading, and never a secret.

import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { FailedLogins } from '../../src/tracker/failed-logins.ts'
import { runMonitored } from './metrics/monitored-tracker.ts'
import { TestClient } from './support/test-client.ts'
import type { Logger } from 'pino'

test('a failed login is told with its address, and no line has a password, a verifier or a key', async () => {
  const { tracker, lines } = await runMonitored()
  const ann = await TestClient.loggedIn(tracker.address, 'ann')
  const other = await TestClient.connect(tracker.address)
  await other.hello()
  expect((await other.login('ann', 'hunter2hunter2')).ok).toBe(false)
  await ann.change('create_group', { group: 'g' })
  const [failed] = lines.map((line) => JSON.parse(line)).filter((line) => line.msg === 'login failed')
  expect(failed).toMatchObject({ host: '127.0.0.1', user: 'ann', failures: 1 })
  expect(lines.join('')).not.toMatch(/hunter2|secret|storedKey|serverKey|BEGIN/)
})

test('a name that nobody has is not told: it may be a password in the wrong place', async () => {
  const { tracker, lines } = await runMonitored()
  const client = await TestClient.connect(tracker.address)
  await client.hello()
  const password = randomBytes(8).toString('hex')
  expect((await client.login(password, 'x')).ok).toBe(false)
  expect(lines.filter((line) => line.includes('login failed'))).toHaveLength(1)
  expect(lines.join('')).not.toContain(password)
})

test('of a flood of failed logins there is a line a second, with how many there were', () => {
  const lines: object[] = []
  let nowMs = 0
  const log = { info: (fields: object) => lines.push(fields) } as unknown as Logger
  const failed = new FailedLogins(log, () => nowMs)
  for (nowMs = 0; nowMs <= 1000; nowMs += 10) failed.onFailed('10.0.0.1', 'ann')
  expect(lines).toEqual([
    { host: '10.0.0.1', user: 'ann', failures: 1 },
    { host: '10.0.0.1', user: 'ann', failures: 100 },
  ])
})
