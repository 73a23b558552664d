// What the operator of a tracker decides for the community, at its console.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { Answer } from '../../src/common/refusal.ts'
import { credentialsOf } from '../../src/common/security/scram.ts'
import { failedAttemptsOfLoopbackPerMinute } from '../../src/tracker/limits.ts'
import { newestLevel } from '../../src/tracker/state/levels.ts'
import { quotaNames } from '../../src/tracker/state/quotas.ts'
import { startTracker, type Tracker } from '../../src/tracker/tracker.ts'
import { keysOf, TestClient } from './support/test-client.ts'
import { commandId, runTracker, temporaryFolder } from './support/test-tracker.ts'

test('quotas are shown with what they mean, one by its name, and an unknown one with a sentence', async () => {
  const { operator } = await runTracker()
  expect(operator.quotas().map((line) => line.split(' ')[0])).toEqual(quotaNames)
  expect(operator.quotas('groups_of_account')).toEqual([
    'groups_of_account 1000: groups that one account owns',
  ])
  const unknown = 'error: there is no quota "toString"; quota lists them'
  expect(operator.quotas('toString')).toEqual([unknown])
  expect(await operator.setQuota('toString', '5')).toBe(unknown)
})

test.each(['', '-1', '1.5', 'many', '1e9', '10000000000'])('a quota of "%s" is refused', async (text) => {
  const { operator } = await runTracker()
  expect(await operator.setQuota('accounts', text)).toBe(
    `error: "${text}" is not a number up to 1,000,000,000`,
  )
})

test('a quota that is set holds at every tracker, and after a restart', async () => {
  const folder = temporaryFolder()
  const [one, two] = [await runTracker(folder, 1), await runTracker(folder, 2)]
  expect(await one.operator.setQuota('groups_of_account', '1')).toBe('done')
  const ann = await TestClient.loggedIn(two.address, 'ann')
  expect(await ann.change('create_group', { group: 'a' })).toMatchObject({ ok: true })
  expect(await ann.change('create_group', { group: 'b' })).toMatchObject({
    refusal: {
      code: 'over-quota',
      sentence:
        'the limit of groups that one account owns is reached (1); whoever runs the trackers can raise it',
    },
  })
  await two.close()
  const again = await runTracker(folder, 2)
  expect(again.operator.quotas('groups_of_account')).toEqual([
    'groups_of_account 1: groups that one account owns',
  ])
})

test('the tickets of a revoked tracker count no more, and clients hear of it; the last one stays', async () => {
  const folder = temporaryFolder()
  const [one, two] = [await runTracker(folder, 1), await runTracker(folder, 2)]
  const ann = await TestClient.loggedIn(one.address, 'ann')
  const lines = one.operator.trackers()
  expect(lines.map((line) => line.slice(43))).toEqual([
    `: number 1, can follow level ${newestLevel}`,
    `: number 2, can follow level ${newestLevel}`,
  ])
  expect(await one.operator.revoke('2')).toBe('done')
  expect(await ann.hears('trackers_changed')).toEqual({ trackers: [lines[0]?.slice(0, 43)] })
  expect(await one.operator.revoke('2')).toBe('error: there is no tracker "2"; trackers lists them')
  expect(await one.operator.revoke('1')).toBe(
    'error: this is the only tracker; without one nobody could log in',
  )
  await two.close()
})

test('before all trackers are updated there are no quotas to set', async () => {
  const folder = temporaryFolder()
  const run = async (number: number, level: number): Promise<Tracker> => {
    const tracker = await startTracker({
      address: { host: '127.0.0.1', port: 0 },
      number,
      dataFolder: folder,
      level,
      log: pino({ level: 'silent' }),
      onLost: () => undefined,
    })
    onTestFinished(() => tracker.close())
    return tracker
  }
  await run(1, 1)
  const newer = await run(2, 2)
  expect(await newer.operator.setQuota('accounts', '5')).toBe(
    'error: update every tracker of the community first; trackers lists them',
  )
  const notYet = 'error: update every tracker of the community first; trackers lists them'
  expect(await newer.operator.resetPassword('ann')).toBe(notYet)
  expect(await newer.operator.removeUser('ann')).toBe(notYet)
})

function codeIn(line: string): string {
  return (
    /^give this to \w+; it works at a client, once, [a-z ]+: [\w ]+ ([0-9a-f]{32})$/.exec(line)?.[1] ?? ''
  )
}

async function reset(client: TestClient, user: string, code: string, id = commandId()): Promise<unknown> {
  const params = { id, user, code, ...credentialsOf(await keysOf('new')) }
  return client.request('reset_password', params)
}

const wrongCode = { refusal: { code: 'wrong-code' } }

test('with a code from the console a user sets a new password at any tracker, and all logins end', async () => {
  const folder = temporaryFolder()
  const [one, two] = [await runTracker(folder, 1), await runTracker(folder, 2)]
  const ann = await TestClient.loggedIn(one.address, 'ann')
  const client = await TestClient.connect(two.address)
  await client.hello()
  const code = codeIn(await one.operator.resetPassword('ann'))
  const id = commandId()
  expect(await reset(client, 'ann', code, id)).toEqual({ ok: true, value: {} })
  await ann.hearsClosed()
  expect(await client.login('ann', 'secret')).toMatchObject({ refusal: { code: 'login-failed' } })
  expect(await client.login('ann', 'new')).toMatchObject({ ok: true })
  // Repeated, it is told as done and does nothing; replayed, it is worth nothing.
  expect(await reset(client, 'ann', code, id)).toEqual({ ok: true, value: {} })
  expect(await reset(client, 'ann', code)).toMatchObject(wrongCode)
  expect(client.closed).toBeUndefined()
})

test('a code is good for its user alone, and wrong ones are counted by address', async () => {
  // The clock stands still: a count sinks with time, and on a busy machine the next attempt would come late enough.
  vi.spyOn(Date, 'now').mockReturnValue(Date.now())
  const { operator, address } = await runTracker()
  const client = await TestClient.loggedIn(address, 'ann')
  await client.register('bob', 'secret')
  const code = codeIn(await operator.resetPassword('ann'))
  expect(await reset(client, 'bob', code)).toMatchObject(wrongCode)
  expect(await reset(client, 'nobody', code)).toMatchObject(wrongCode)
  const wrong = credentialsOf(await keysOf('new'))
  let answer: Answer<object> | undefined
  for (let tries = 0; tries < 2 * failedAttemptsOfLoopbackPerMinute; tries++) {
    answer = await client.change('reset_password', { user: 'ann', code: '0'.repeat(32), ...wrong })
    if (!answer.ok && answer.refusal.code !== 'wrong-code') break
  }
  expect(answer).toMatchObject({ refusal: { code: 'too-many-attempts' } })
  expect(await reset(client, 'ann', code)).toMatchObject({ refusal: { code: 'too-many-attempts' } })
})

test('a code is nowhere in the data folder', async () => {
  const folder = temporaryFolder()
  const tracker = await runTracker(folder)
  await TestClient.loggedIn(tracker.address, 'ann')
  const code = codeIn(await tracker.operator.resetPassword('ann'))
  await tracker.close()
  const files = readdirSync(folder).filter((name) => name.startsWith('log.'))
  expect(files).toContain('log.sqlite')
  for (const name of files) expect(readFileSync(join(folder, name)).includes(code)).toBe(false)
})

test('the operator removes a user, and nobody else', async () => {
  const { operator, address } = await runTracker()
  const ann = await TestClient.loggedIn(address, 'ann')
  expect(await operator.removeUser('nobody')).toBe('error: there is no user nobody')
  expect(await operator.resetPassword('nobody')).toBe('error: there is no user nobody')
  expect(await operator.removeUser('ann')).toBe('done')
  expect(await ann.hears('login_ended')).toEqual({ user: 'ann', why: 'the account ann was deleted' })
})

test('who may register is the same at all trackers, and after a restart', async () => {
  const folder = temporaryFolder()
  const [one, two] = [await runTracker(folder, 1), await runTracker(folder, 2)]
  expect(one.operator.registration).toBe('open')
  expect(await one.operator.setRegistration('toString')).toBe(
    'error: type registration open, registration invited or registration closed',
  )
  expect(await one.operator.setRegistration('invited')).toBe('done')
  const client = await TestClient.connect(two.address)
  await client.hello()
  expect(await client.register('ann', 'secret')).toMatchObject({ refusal: { code: 'not-invited' } })
  const line = await one.operator.invite()
  const invite =
    /^give this to one new user; it works at a client, once, within a week: create_user <user> --invite ([0-9a-f]{32})$/.exec(
      line,
    )?.[1]
  const params = { user: 'ann', ...credentialsOf(await keysOf('secret')) }
  expect(await client.change('register', { ...params, invite: '0'.repeat(32) })).toMatchObject(wrongCode)
  expect(await client.change('register', { ...params, invite })).toEqual({ ok: true, value: {} })
  expect(await client.change('register', { ...params, user: 'bob', invite })).toMatchObject(wrongCode)
  await two.close()
  expect((await runTracker(folder, 2)).operator.registration).toBe('invited')
})

test('a tracker that is started with --registration sets it for all, before it serves anybody', async () => {
  const folder = temporaryFolder()
  const one = await runTracker(folder, 1)
  const start = (registration: 'closed' | 'open', level?: number): Promise<Tracker> =>
    startTracker({
      address: { host: '127.0.0.1', port: 0 },
      number: 2,
      dataFolder: level === undefined ? folder : temporaryFolder(),
      registration,
      level,
      log: pino({ level: 'silent' }),
      onLost: () => undefined,
    })
  const two = await start('closed')
  onTestFinished(() => two.close())
  const client = await TestClient.connect(one.address)
  await client.hello()
  expect(await client.register('ann', 'secret')).toMatchObject({ refusal: { code: 'registration-closed' } })
  await expect(start('closed', 1)).rejects.toThrow(
    '--registration closed: update every tracker of the community first; trackers lists them',
  )
})
