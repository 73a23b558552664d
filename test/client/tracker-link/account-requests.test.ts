// What is asked about accounts when trackers die over it: done once, and told as done.

import { expect, test } from 'vitest'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { diesOverIt, password, startTrackers, type FakeTracker } from './fake-tracker.ts'
import { loggedIn } from './linked.ts'

type Two = [FakeTracker, FakeTracker]

function shown(tracker: FakeTracker, method: string): object[] {
  return tracker.calls
    .filter((call) => call.method === method)
    .map(({ params }) => ({ again: params.again, isProved: params.clientFinal !== undefined, id: params.id }))
}

test('a new password whose answer is lost is asked for elsewhere under the same id, before another proof', async () => {
  const [one, two] = (await startTrackers(2)) as Two
  const { link } = await loggedIn([one, two])
  one.instead.set('change_password', diesOverIt)
  expect(await link.accounts.changePassword(password, 'better')).toEqual(accept(undefined))
  const [first] = shown(one, 'change_password')
  expect(first).toMatchObject({ isProved: true })
  expect(shown(two, 'change_password')).toEqual([{ ...first, again: true, isProved: false }])
})

test('where the outcome is not known, the password is proved again, under the same id', async () => {
  const [one, two] = (await startTrackers(2)) as Two
  const { link } = await loggedIn([one, two])
  one.instead.set('delete_account', diesOverIt)
  two.instead.set('delete_account', ({ clientFinal }) =>
    clientFinal === undefined ? refuse('invalid-request', 'prove it') : accept({}),
  )
  expect(await link.accounts.deleteAccount(password)).toEqual(accept(undefined))
  const [first] = shown(one, 'delete_account')
  const again = { ...first, again: true }
  expect(shown(two, 'delete_account')).toEqual([
    { ...again, isProved: false },
    { ...again, isProved: true },
  ])
})

test('a new password has the salt and the iterations of the old one', async () => {
  const [one] = (await startTrackers(1)) as [FakeTracker]
  const { link } = await loggedIn([one])
  await link.accounts.changePassword(password, 'better')
  const [call] = await one.called('change_password')
  expect(call?.params).toMatchObject({ salt: Buffer.alloc(16, 7).toString('base64'), iterations: 100_000 })
})

test('without a login there is no account to change', async () => {
  const [one] = (await startTrackers(1)) as [FakeTracker]
  const { link } = await loggedIn([one])
  await link.logout()
  const refusal = { refusal: { code: 'login-first' } }
  expect(await link.accounts.changePassword(password, 'better')).toMatchObject(refusal)
  expect(await link.accounts.deleteAccount(password)).toMatchObject(refusal)
})
