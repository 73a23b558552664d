// Logs in peers that run inside a benchmark, as a client does.

import { NetworkChanges } from '../src/client/network/network-changes.ts'
import { TrackerConnection } from '../src/client/tracker-link/tracker-connection.ts'
import { parseAddress } from '../src/common/addresses.ts'
import type { Answer } from '../src/common/refusal.ts'
import type { Identity } from '../src/common/security/identity.ts'
import { scramIterationsMin } from '../src/common/limits.ts'
import { makeNonce } from '../src/common/security/challenge.ts'
import { credentialsOf, deriveKeys, type ClientKeys } from '../src/common/security/scram.ts'
import type { Program } from '../src/demo/program.ts'
import { group, type Arena } from './arena.ts'
import { trackerProtocol } from '../src/common/protocol/tracker-protocol.ts'
import { unheard } from '../src/common/wire/caller.ts'
import { Protection } from '../src/common/wire/protection.ts'

export const loopback = { host: '127.0.0.1', port: 0 }

/** The value of an answer; throws the refusal. */
export function must<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value
  throw new Error(answer.refusal.sentence)
}

/** By user; cached because deriving a key takes 100 ms. */
const keys = new Map<string, Promise<ClientKeys>>()

/** Keys of all new users, with the fewest iterations: deriving keys is not what is measured. */
const cheapKeys = deriveKeys('bench', Buffer.alloc(16, 7).toString('base64'), scramIterationsMin)

/** Logs in one more client of a member of the arena's group, serving at `port`. `isNew` registers the user first. */
export async function logIn(
  arena: Arena,
  user: string,
  identity: Identity,
  port: number,
  isNew = false,
): Promise<TrackerConnection> {
  const connection = new TrackerConnection({
    address: parseAddress(arena.trackerAddress),
    listen: loopback,
    identity,
    protection: new Protection(identity.forTls, 'beyond'),
    changes: new NetworkChanges(),
    trust: { check: () => undefined, pinOf: () => undefined },
    whereabouts: async () => ({ port }),
    told: unheard(trackerProtocol),
    onTrackers: () => undefined,
    onLoginEnded: () => undefined,
    credentialsFor: () => undefined,
    onUp: () => undefined,
    onDown: () => undefined,
  })
  await connection.start()
  const derive = (salt: string, iterations: number): Promise<ClientKeys> => {
    const derived = keys.get(user) ?? deriveKeys('bench', salt, iterations)
    keys.set(user, derived)
    return derived
  }
  if (isNew) {
    keys.set(user, cheapKeys)
    must(await connection.request('register', { user, ...credentialsOf(await cheapKeys), id: makeNonce() }))
  }
  must(await connection.login({ user, keys: derive }))
  return connection
}

/** Registers and logs in a new user without starting a program; `owner` accepts it into the arena's group. */
export async function enroll(
  arena: Arena,
  owner: Program,
  user: string,
  identity: Identity,
): Promise<TrackerConnection> {
  const connection = await logIn(arena, user, identity, 1, true)
  must(await connection.request('join_group', { group, id: makeNonce() }))
  await owner.say(`accept_request ${group} ${user}`, (line) => line.endsWith(`is now a member of ${group}`))
  return connection
}
