// Introduces this client to a peer: shows the ticket, and proves keys both ways.

import { formatAddress } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import type { PeerProtocol } from '../../common/protocol/peer-protocol.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { accept, type Answer, type Refusal } from '../../common/refusal.ts'
import { checkProof, makeNonce, proveKey } from '../../common/security/challenge.ts'
import type { Identity } from '../../common/security/identity.ts'
import { protocolVersion, version } from '../../common/version.ts'
import type { Caller } from '../../common/wire/caller.ts'

/** Each answer on the way to an open file comes within this time: a peer that hangs holds a place. */
export const openTimeoutMs = 5000

interface Introduction {
  readonly peer: Peer
  readonly ticket: string
  readonly identity: Identity
}

/** `user@ip:port`, as people are shown it. */
export function nameOf(peer: Peer): string {
  return `${peer.user}@${formatAddress(peer)}`
}

/** Whether a peer refuses the ticket: a new one may do. */
export function isOfTicket({ code }: Refusal): boolean {
  return code === 'ticket-lapsed' || code === 'ticket-invalid'
}

/**
 * Gets admitted by a peer that the trackers named. A refusal is the peer's; rejects with a failure when it is
 * another client than the one that was named, or is lost meanwhile.
 */
export async function greetPeer(
  caller: Caller<PeerProtocol>,
  { peer, ticket, identity }: Introduction,
): Promise<Answer<void>> {
  const nonce = makeNonce()
  const program = `coterie-client/${version}`
  const greeting = await caller.request(
    'hello',
    { protocol: protocolVersion, program, nonce, ticket },
    { timeoutMs: openTimeoutMs },
  )
  if (!greeting.ok) return greeting
  const { key, proof: theirs } = greeting.value
  const challenge = {
    callerNonce: nonce,
    responderNonce: greeting.value.nonce,
    callerKey: identity.publicKey,
    responderKey: key,
  }
  if (key !== peer.key || !checkProof('responder', challenge, theirs)) {
    // No lie of the peer's: another client took its port, or the tracker is behind.
    throw new Failure('connection-lost', `${nameOf(peer)} is not the client that the tracker named`)
  }
  const proof = proveKey(identity, 'caller', challenge)
  const proved = await caller.request('prove', { proof }, { timeoutMs: openTimeoutMs })
  return proved.ok ? accept(undefined) : proved
}
