// Accounts for the tests of programs that are not about accounts. What makes a password hard to guess takes a
// client 160 ms of the processor, at the registration and at each login. An account of these was registered with a
// sixth of that work, as the least that a tracker accepts, and the client's data folder knows it from a login before,
// as the program writes it down: a client that is new to an account asks for more.

import { KnownLogins } from '../../src/client/storage/known-logins.ts'
import type { Address } from '../../src/common/addresses.ts'
import { lineBytesMax } from '../../src/common/limits.ts'
import { trackerProtocol } from '../../src/common/protocol/tracker-protocol.ts'
import { credentialsOf } from '../../src/common/security/scram.ts'
import { protocolVersion } from '../../src/common/version.ts'
import { Caller, unheard } from '../../src/common/wire/caller.ts'
import { openChannel } from '../../src/common/wire/open-channel.ts'
import { keysOf } from '../tracker/support/test-client.ts'
import { commandId } from '../tracker/support/test-tracker.ts'

/** Makes the account at this tracker; gives the name of the community back. */
export async function register(tracker: Address, user: string, password: string): Promise<string> {
  const caller = new Caller(await openChannel(tracker, lineBytesMax), trackerProtocol, {
    onTold: unheard(trackerProtocol),
    onClosed: () => undefined,
  })
  try {
    const greeting = await caller.request('hello', { protocol: protocolVersion, program: 'test' })
    if (!greeting.ok) throw new Error(greeting.refusal.sentence)
    const credentials = credentialsOf(await keysOf(password))
    const answer = await caller.request('register', { id: commandId(), user, ...credentials })
    if (!answer.ok) throw new Error(answer.refusal.sentence)
    return greeting.value.cluster
  } finally {
    caller.close()
  }
}

/** A client with this data folder has seen the account before. */
export async function remember(
  dataFolder: string,
  community: string,
  user: string,
  password: string,
): Promise<void> {
  const logins = new KnownLogins(dataFolder, (sentence) => {
    throw new Error(sentence)
  })
  await logins.remember(community, user, await keysOf(password))
}
