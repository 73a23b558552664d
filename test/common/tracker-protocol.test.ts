// What a tracker tells, and what it is told at once, is bounded: what goes beyond is dropped by the schema, not kept.

import * as v from 'valibot'
import { expect, test } from 'vitest'
import { announceFilesMax, peersPerFileMax, trackerKeysMax } from '../../src/common/limits.ts'
import { trackerProtocol } from '../../src/common/protocol/tracker-protocol.ts'
import { makeIdentity } from '../../src/common/security/identity.ts'

const { publicKey } = makeIdentity()
const peer = { user: 'ann', host: '127.0.0.1', port: 4000, key: publicKey, complete: true }
const file = { group: 'g', name: 'a', fileId: 'ab'.repeat(32) }
const { swarm_changed, trackers_changed } = trackerProtocol.toCaller
const login = trackerProtocol.requests.login_finish.result
const { announce, retract } = trackerProtocol.requests

test.each([
  [
    'peers that joined',
    swarm_changed,
    peersPerFileMax,
    (n: number) => ({ ...file, joined: Array.from({ length: n }, () => peer), left: [] }),
  ],
  [
    'keys that left',
    swarm_changed,
    peersPerFileMax,
    (n: number) => ({ ...file, joined: [], left: Array.from({ length: n }, () => publicKey) }),
  ],
  [
    'keys of trackers',
    trackers_changed,
    trackerKeysMax,
    (n: number) => ({ trackers: Array.from({ length: n }, () => publicKey) }),
  ],
  [
    'keys of trackers after a login',
    login,
    trackerKeysMax,
    (n: number) => ({ serverFinal: 'v=x', trackers: Array.from({ length: n }, () => publicKey) }),
  ],
])('a tracker may tell so many %s, and not one more', (_, schema, max, message) => {
  expect(v.safeParse(schema, message(max)).success).toBe(true)
  expect(v.safeParse(schema, message(max + 1)).success).toBe(false)
})

test.each([
  ['announce', announce.params, { ...file, complete: true }],
  ['retract', retract.params, file],
])('a client may %s so many files at once, and not one more', (_, schema, each) => {
  const params = (count: number): object => ({ files: Array.from({ length: count }, () => each) })
  expect(v.safeParse(schema, params(announceFilesMax)).success).toBe(true)
  expect(v.safeParse(schema, params(announceFilesMax + 1)).success).toBe(false)
})
