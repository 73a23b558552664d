// Logs in peers that run inside a benchmark, as a client does.

import { TrackerConnection, type Told } from '../src/client/tracker-link/tracker-connection.ts'
import { parseAddress } from '../src/common/addresses.ts'
import type { Answer } from '../src/common/refusal.ts'
import type { Identity } from '../src/common/security/identity.ts'
import { deriveKeys, type ClientKeys } from '../src/common/security/scram.ts'
import type { Arena } from './arena.ts'

export const loopback = { host: '127.0.0.1', port: 0 }

/** The value of an answer; throws the refusal. */
export function must<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value
  throw new Error(answer.refusal.sentence)
}

/** By user; cached because deriving a key takes 100 ms. */
const keys = new Map<string, Promise<ClientKeys>>()

/** Logs in another client of a member of the arena's group, which serves at `port`. */
export async function logIn(
  arena: Arena,
  user: string,
  identity: Identity,
  port: number,
): Promise<TrackerConnection> {
  const connection = new TrackerConnection({
    address: parseAddress(arena.trackerAddress),
    listen: loopback,
    identity,
    port: () => port,
    // Ignores every notification.
    told: new Proxy({}, { get: () => () => undefined }) as Told,
    onTrackers: () => undefined,
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
  must(await connection.login({ user, keys: derive }))
  return connection
}
