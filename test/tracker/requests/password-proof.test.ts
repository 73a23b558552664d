// What a tracker says of a password that does not fit what it knows: wrong only where it knows all.

import { expect, test } from 'vitest'
import {
  credentialsOf,
  parseClientFirst,
  ScramClient,
  serverFirstMessage,
} from '../../../src/common/security/scram.ts'
import { answerChallenge } from '../../../src/tracker/requests/password-proof.ts'
import type { Requester } from '../../../src/tracker/requests/requester.ts'
import { newestLevel } from '../../../src/tracker/state/levels.ts'
import type { State } from '../../../src/tracker/state/state.ts'
import { applyNext, credentials as madeUp, stateAt } from '../state/world.ts'
import { keysOf } from '../support/test-client.ts'

const plain = { secure: undefined } as Requester

async function register(state: State, password: string): Promise<void> {
  const credentials = credentialsOf(await keysOf(password))
  applyNext(state, { kind: 'register', id: 'c1', user: 'ann', credentials })
}

/** What of `state` was true when the login began, the answer to its challenge, and what becomes of it. */
async function login(state: State, password: string): Promise<(isCurrent: boolean) => string> {
  const client = new ScramClient('ann', 'abcdefghijklmnop')
  const first = parseClientFirst(client.clientFirst, undefined)
  if (first === undefined) throw new Error('this is no first message')
  const account = state.accounts.get('ann')
  // As with credentials of nobody, which give a challenge of the same shape.
  const credentials = account?.credentials ?? madeUp
  const serverFirst = serverFirstMessage(first.nonce, 'server', credentials)
  const clientFinal = await client.clientFinal(serverFirst, () => keysOf(password))
  const standing = account && { id: account.id, epoch: account.epoch }
  const pending = { user: 'ann', clientFirstBare: first.bare, serverFirst, credentials, account: standing }
  return (isCurrent) => {
    const answer = answerChallenge({ state, isCurrent }, pending, clientFinal, plain)
    return answer.ok ? 'ok' : answer.refusal.code
  }
}

test('a wrong password is called wrong by a tracker that sees all changes, and by no other', async () => {
  const state = stateAt(newestLevel)
  const ofNobody = await login(state, 'secret')
  expect([ofNobody(true), ofNobody(false)]).toEqual(['login-failed', 'unavailable'])
  await register(state, 'secret')
  const right = await login(state, 'secret')
  const wrong = await login(state, 'other')
  expect([right(true), right(false)]).toEqual(['ok', 'ok'])
  expect([wrong(true), wrong(false)]).toEqual(['login-failed', 'unavailable'])
})

test('a login that began before its account is known, or with its password of before, has to begin again', async () => {
  const state = stateAt(newestLevel)
  const early = await login(state, 'secret')
  await register(state, 'secret')
  expect(early(true)).toBe('unavailable')
  const late = await login(state, 'secret')
  const { id: account, epoch } = state.accounts.get('ann') ?? { id: 0, epoch: 0 }
  const credentials = credentialsOf(await keysOf('better'))
  const change = { kind: 'change_password', id: 'c2', by: 'ann', account, epoch, credentials } as const
  applyNext(state, change)
  expect(late(true)).toBe('unavailable')
  const gone = await login(state, 'better')
  applyNext(state, { kind: 'delete_account', id: 'c3', by: 'ann', account, epoch: epoch + 1 })
  expect(gone(true)).toBe('login-failed')
})
