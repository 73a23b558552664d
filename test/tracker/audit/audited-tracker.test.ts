// The audit of a whole tracker, and of two of one log.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { startTracker, type Tracker } from '../../../src/tracker/tracker.ts'
import { TestClient } from '../support/test-client.ts'
import { temporaryFolder } from '../support/test-tracker.ts'

async function audited(dataFolder: string | undefined, auditFile: string, number = 1): Promise<Tracker> {
  const tracker = await startTracker({
    address: { host: '127.0.0.1', port: 0 },
    number,
    dataFolder,
    auditFile,
    log: pino({ level: 'silent' }),
    onLost: (failure) => {
      throw failure
    },
  })
  onTestFinished(() => tracker.close())
  return tracker
}

function linesOf(path: string): Record<string, unknown>[] {
  return readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('changes and refused logins get a line each, once, whatever is read again by the next start', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'audit.jsonl')
  const first = await audited(folder, path)
  const ann = await TestClient.loggedIn(first.address, 'ann')
  await ann.change('create_group', { group: 'g' })
  const other = await TestClient.connect(first.address)
  await other.hello()
  await other.login('ann', 'wrong')
  await other.login('hunter2', 'wrong')
  // The password is right, the proof is that of another key.
  await other.login('ann', 'secret', 4000, 'A'.repeat(86))
  for (let attempt = 0; attempt < 6; attempt++) await other.login('ann', 'wrong')
  await first.close()
  const second = await audited(folder, path)
  const again = await TestClient.loggedIn(second.address, 'ann')
  await again.change('create_group', { group: 'h' })
  await second.close()
  const lines = linesOf(path)
  const who = { who: 'ann', from: '127.0.0.1' }
  expect(lines.filter(({ what }) => what !== 'login')).toMatchObject([
    { position: 1, what: 'tracker_started', tracker: 1, outcome: 'done' },
    // How the level is raised, when the tracker begins a log.
    ...lines.filter(({ what }) => what === 'raise_level'),
    { ...who, what: 'register', outcome: 'done' },
    { ...who, what: 'create_group', group: 'g', outcome: 'done' },
    { ...who, what: 'create_group', group: 'h', outcome: 'done' },
  ])
  const logins = lines.filter(({ what }) => what === 'login')
  expect(logins.map(({ outcome }) => outcome)).toEqual([
    'login-failed',
    'login-failed',
    'proof-failed',
    ...Array.from({ length: 4 }, () => 'login-failed'),
    ...Array.from({ length: 2 }, () => 'too-many-attempts'),
  ])
  expect(logins.filter((login) => login['who'] === 'ann')).toHaveLength(logins.length - 1)
  expect(readFileSync(path, 'utf8')).not.toContain('hunter2')
})

test('each of two trackers writes the changes of both, and only its own refused logins', async () => {
  const folder = temporaryFolder()
  const paths = [1, 2].map((number) => join(folder, `audit-${number}.jsonl`))
  const [one, two] = [await audited(folder, paths[0] ?? '', 1), await audited(folder, paths[1] ?? '', 2)]
  const ann = await TestClient.loggedIn(one.address, 'ann')
  const bob = await TestClient.loggedIn(two.address, 'bob')
  await ann.change('create_group', { group: 'of-ann' })
  await bob.change('create_group', { group: 'of-bob' })
  const other = await TestClient.connect(one.address)
  await other.hello()
  await other.login('ann', 'wrong')
  // Each has read the log to its end then.
  expect(one.digest()).toBe(two.digest())
  await Promise.all([one.close(), two.close()])
  const [first = [], second = []] = paths.map(linesOf)
  const changes = (lines: typeof first) =>
    lines.filter(({ what }) => what === 'create_group' || what === 'register')
  expect(changes(first)).toHaveLength(4)
  expect(changes(second)).toEqual(changes(first))
  expect([first, second].map((lines) => lines.filter(({ what }) => what === 'login').length)).toEqual([1, 0])
})

test('a tracker whose audit cannot be written says so and does not start', async () => {
  const folder = temporaryFolder()
  await expect(audited(undefined, join(folder, 'none', 'audit.jsonl'))).rejects.toMatchObject({
    code: 'start',
    message: `cannot write the audit to ${join(folder, 'none', 'audit.jsonl')}: there is no such file or folder`,
  })
})
