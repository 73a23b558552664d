// What the operator of a tracker decides for the community, at its console.

import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { quotaNames } from '../../src/tracker/state/quotas.ts'
import { startTracker, type Tracker } from '../../src/tracker/tracker.ts'
import { TestClient } from './support/test-client.ts'
import { runTracker, temporaryFolder } from './support/test-tracker.ts'

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
      sentence: 'groups that one account owns: 1 at most; whoever runs the trackers can allow more',
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
    ': number 1, can follow level 2',
    ': number 2, can follow level 2',
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
    'error: quotas need every tracker of the community to be updated first; trackers lists them',
  )
})
