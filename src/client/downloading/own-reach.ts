// Connects to this client as others would, to see whether it is there. It proves that the address leads here from this
// machine; a firewall or router may still keep others out.

import { formatAddress, type Address } from '../../common/addresses.ts'
import { atMost } from '../../common/at-most.ts'
import { Failure } from '../../common/failure.ts'
import { lineBytesMax } from '../../common/limits.ts'
import { isLoopback } from '../../common/networks.ts'
import { peerProtocol, type PeerProtocol } from '../../common/protocol/peer-protocol.ts'
import type { Identity } from '../../common/security/identity.ts'
import { Caller, unheard } from '../../common/wire/caller.ts'
import { openChannel } from '../../common/wire/open-channel.ts'
import type { Protection } from '../../common/wire/protection.ts'
import type { ReachEvidence } from '../diagnosis/evidence.ts'
import { greetPeer } from './peer-greeting.ts'

export interface OwnReachParts {
  readonly identity: Identity
  readonly protection: Protection
}

/** `ticket`: any that this client was given; without one, only that a client listens there is seen. */
export interface OwnPlace {
  readonly address: Address
  readonly source: ReachEvidence['source']
  readonly ticket?: string | undefined
}

/** As long as a person waits. */
const patienceMs = 2000

/** Never rejects for what the network does. */
export async function reachOwn(parts: OwnReachParts, place: OwnPlace): Promise<ReachEvidence> {
  const { address, source } = place
  const reached = {
    address: formatAddress(address),
    source,
    isLoopback: isLoopback(address.host),
  }
  const looked = problemAt(parts, place).then((problem) => ({ problem }))
  const { problem } = (await atMost(looked, patienceMs)) ?? { problem: 'no answer came' }
  return { ...reached, problem }
}

/** Why this client is not there, as a sentence. */
async function problemAt(
  { identity, protection }: OwnReachParts,
  { address, ticket = 'none' }: OwnPlace,
): Promise<string | undefined> {
  const own = { ...address, key: identity.publicKey, user: 'this client', complete: true }
  try {
    const another = new Failure('connection-lost', 'another client answers')
    const tls = protection.towards(address.host, (key) => (key === own.key ? undefined : another))
    const channel = await openChannel(address, lineBytesMax, { tls })
    const caller = new Caller<PeerProtocol>(channel, peerProtocol, {
      onTold: unheard(peerProtocol),
      onClosed: () => {},
    })
    try {
      // A refusal of the ticket comes from a client, too.
      await greetPeer(caller, { peer: own, ticket, identity })
    } finally {
      caller.close()
    }
    return undefined
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return error.message
  }
}
