// The salt of a login that a script begins with, asked for while the program is loaded.

import { expect, test, vi } from 'vitest'
import { EarlyKeys } from '../../../src/client/tracker-link/early-keys.ts'
import { beginWithSalt, type EarlySaltOptions } from '../../../src/client/tracker-link/early-salt.ts'
import { scramIterationsMax, scramIterationsMin } from '../../../src/common/limits.ts'
import { accept } from '../../../src/common/refusal.ts'
import { fingerprintOf } from '../../../src/common/security/identity.ts'
import * as scram from '../../../src/common/security/scram.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { FakeTracker, password, startTrackers, user } from './fake-tracker.ts'

const salt = Buffer.alloc(16, 7).toString('base64')

function optionsFor(tracker: FakeTracker, given: Partial<EarlySaltOptions> = {}): EarlySaltOptions {
  return {
    folder: temporaryFolder(),
    listen: { host: '127.0.0.1', port: 0 },
    trackers: [tracker.address],
    encryption: 'beyond',
    keys: new EarlyKeys(),
    ...given,
  }
}

/** Whether the keys of the fake tracker's user are there without a further derivation. */
async function areBegun(keys: EarlyKeys): Promise<boolean> {
  const derive = vi.spyOn(scram, 'deriveKeys')
  const taken = await keys.take(password, salt, scramIterationsMin)
  const isBegun = derive.mock.calls.length === 0
  derive.mockRestore()
  expect(taken).toEqual(await scram.deriveKeys(password, salt, scramIterationsMin))
  return isBegun
}

function secureTracker(): Promise<FakeTracker> {
  return new FakeTracker({ isSecure: true }).start()
}

test('the keys are begun with the salt that the tracker says, on a connection that ends then', async () => {
  const [tracker] = await startTrackers(1)
  const options = optionsFor(tracker!)
  await beginWithSalt(user, password, options)
  expect(tracker!.calls.map(({ method }) => method)).toEqual(['hello', 'login_start'])
  expect(await areBegun(options.keys)).toBe(true)
  await vi.waitFor(() => expect(tracker!.connectionCount).toBe(0))
})

test('nothing is said to a tracker whose key nobody has said yet', async () => {
  const tracker = await secureTracker()
  const options = optionsFor(tracker, { encryption: 'always' })
  await beginWithSalt(user, password, options)
  expect(await areBegun(options.keys)).toBe(false)
  expect(tracker.calls).toEqual([])
  await tracker.stop()
})

test('one that is known is asked encrypted, and another one in its place is told nothing', async () => {
  const [tracker, other] = [await secureTracker(), await secureTracker()]
  const pinned = (pin: string): EarlySaltOptions =>
    optionsFor(tracker, { encryption: 'always', trackers: [{ ...tracker.address, pin }] })
  const wrong = pinned(fingerprintOf(other.identity.publicKey))
  await expect(beginWithSalt(user, password, wrong)).rejects.toMatchObject({
    message: expect.stringContaining('has another key'),
  })
  expect(tracker.calls).toEqual([])
  const right = pinned(fingerprintOf(tracker.identity.publicKey))
  await beginWithSalt(user, password, right)
  expect(await areBegun(right.keys)).toBe(true)
  await Promise.all([tracker.stop(), other.stop()])
})

test('a tracker that wants to keep this computer busy, or says no, begins nothing', async () => {
  const [tracker] = await startTrackers(1)
  const derive = vi.spyOn(scram, 'deriveKeys')
  tracker!.instead.set('login_start', ({ clientFirst }) => {
    const { nonce } = scram.parseClientFirst(clientFirst)!
    const credentials = { salt, iterations: scramIterationsMax + 1, storedKey: '', serverKey: '' }
    return accept({ serverFirst: scram.serverFirstMessage(nonce, 'its-own', credentials) })
  })
  await expect(beginWithSalt(user, password, optionsFor(tracker!))).rejects.toMatchObject({
    code: 'protocol',
  })
  tracker!.instead.set('login_start', () => ({ ok: false, refusal: { code: 'busy', sentence: 'wait' } }))
  await beginWithSalt(user, password, optionsFor(tracker!))
  expect(derive).not.toHaveBeenCalled()
  derive.mockRestore()
})
