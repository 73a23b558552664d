// Hostile users as they come to the tracker and to Ann: each over TLS, with whatever key they like.

import { makeIdentity, loadIdentity, type Identity } from '../../../src/common/security/identity.ts'
import type { Answer } from '../../../src/common/refusal.ts'
import { join } from 'node:path'
import { RawPeer } from '../../integration/raw-peer.ts'
import { TestClient } from '../../tracker/support/test-client.ts'
import { hostilePassword, type Scene, type SharedFile } from './battle.ts'

/** None of them is that of the honest user. */
export const hostileHost = '127.0.2.1'

export function identityOf({ folder }: Scene, user: string): Identity {
  return loadIdentity(join(folder, user))
}

/** A connection to the tracker that has said hello. */
export async function greeted(
  { tracker }: Scene,
  identity = makeIdentity(),
  localHost = hostileHost,
): Promise<TestClient> {
  const address = { host: '127.0.0.1', port: tracker.port }
  const client = await TestClient.open(address, { identity, isSecure: true, localHost })
  await client.hello()
  return client
}

/** A hostile user, logged in as an honest one would. */
export async function loggedIn(scene: Scene, user: string, localHost = hostileHost): Promise<TestClient> {
  const client = await greeted(scene, identityOf(scene, user), localHost)
  must(await client.login(user, hostilePassword))
  return client
}

/** The ticket for the group of this file. */
export async function ticketFor(client: TestClient, { group, name }: SharedFile): Promise<string> {
  return must(await client.request('find_file', { group, name })).ticket
}

/** A connection to Ann's client. */
export function toSeeder(
  { seederPort }: Scene,
  identity = makeIdentity(),
  isSecure = true,
): Promise<RawPeer> {
  const address = { host: '127.0.0.1', port: seederPort }
  return RawPeer.open(address, { identity, isSecure, localHost: hostileHost })
}

/** The value of an answer; throws the refusal. */
export function must<T>(answer: Answer<T>): T {
  if (answer.ok) return answer.value
  throw new Error(answer.refusal.sentence)
}

/** `ok`, or the code of the refusal; `closed` when the connection ended in place of an answer. */
export async function codeOf(answer: Promise<Answer<unknown>>): Promise<string> {
  try {
    const known = await answer
    return known.ok ? 'ok' : known.refusal.code
  } catch {
    return 'closed'
  }
}
