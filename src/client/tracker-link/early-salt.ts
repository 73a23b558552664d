// Asks a tracker how the password of a user is salted, on a connection of its own, before the rest of the program is
// loaded. Loaded by itself, so that it is quick.

import type { Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import { lineBytesMax } from '../../common/limits.ts'
import { trackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { resolveAddress } from '../../common/resolve-address.ts'
import { makeNonce } from '../../common/security/challenge.ts'
import { loadIdentity } from '../../common/security/identity.ts'
import { ScramClient } from '../../common/security/scram.ts'
import type { ListedTracker } from '../../common/tracker-info.ts'
import { Caller, unheard } from '../../common/wire/caller.ts'
import type { Channel } from '../../common/wire/channel.ts'
import { openChannel } from '../../common/wire/open-channel.ts'
import { Protection, type Encryption } from '../../common/wire/protection.ts'
import { callFrom } from './call-from.ts'
import type { EarlyKeys } from './early-keys.ts'
import { greetTracker } from './tracker-greeting.ts'
import { TrackerTrust } from './tracker-trust.ts'

export interface EarlySaltOptions {
  readonly folder: string
  readonly listen: Address
  readonly trackers: readonly ListedTracker[]
  readonly encryption: Encryption
  readonly keys: EarlyKeys
}

/**
 * Begins the keys of this user, with the salt that the first tracker says. Resolves when they are begun, or when nothing
 * may be said to that tracker yet. Rejects with a failure of the connection; the login itself comes to the same one.
 */
export async function beginWithSalt(
  user: string,
  text: string,
  { folder, listen, trackers: [tracker, ...others], encryption, keys }: EarlySaltOptions,
): Promise<void> {
  if (tracker === undefined) return
  const protection = new Protection(loadIdentity(folder).forTls, encryption)
  const trust = new TrackerTrust(folder, [tracker, ...others])
  const pin = trust.pinOf(tracker)
  // A person is asked first whether it is the right one.
  if (protection.isFor(tracker.host) && pin === undefined) return
  const tls = protection.towards(tracker.host, (key) => trust.check(tracker, key), pin !== undefined)
  const address = await resolveAddress(tracker)
  const channel = await openChannel(address, lineBytesMax, { localHost: callFrom(listen, address), tls })
  try {
    await askSalt(channel, tracker, { user, text, keys })
  } finally {
    channel.close(new Failure('connection-lost', 'done'))
  }
}

/** Rejects with a `protocol` failure where the tracker asks for too many iterations, say. */
async function askSalt(
  channel: Channel,
  tracker: Address,
  { user, text, keys }: { user: string; text: string; keys: EarlyKeys },
): Promise<void> {
  const onTold = unheard(trackerProtocol)
  const caller = new Caller(channel, trackerProtocol, { onTold, onClosed: () => undefined })
  await greetTracker(caller, tracker)
  const scram = new ScramClient(user, makeNonce(), channel.secure?.binding)
  const challenge = await caller.request('login_start', { clientFirst: scram.clientFirst })
  if (!challenge.ok) return
  keys.begin(text, scram.stretchingOf(challenge.value.serverFirst))
}
