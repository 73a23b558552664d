// Introduces this client to a peer: presents the ticket and proves keys in both directions.

import { formatAddress } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import type { PeerProtocol } from '../../common/protocol/peer-protocol.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { accept, type Answer, type Refusal } from '../../common/refusal.ts'
import { checkProof, makeNonce, proveKey } from '../../common/security/challenge.ts'
import type { Identity } from '../../common/security/identity.ts'
import { protocolVersion, clientProgram } from '../../common/version.ts'
import type { Caller } from '../../common/wire/caller.ts'

/** Timeout of each answer until the file is open: a peer that hangs occupies a slot. */
export const openTimeoutMs = 5000

interface Introduction {
  readonly peer: Peer
  readonly ticket: string
  readonly identity: Identity
}

/** `user@ip:port`, as shown to people. */
export function nameOf(peer: Peer): string {
  return `${peer.user}@${formatAddress(peer)}`
}

/** Not the peer's fault: another client took its port, or the tracker is out of date. */
export function notThatClient(peer: Peer): Failure {
  return new Failure('connection-lost', `${nameOf(peer)} is not the client that the tracker named`)
}

/** Whether a peer refused the ticket: a new one may be accepted. */
export function isOfTicket({ code }: Refusal): boolean {
  return code === 'ticket-lapsed' || code === 'ticket-invalid'
}

/** A peer has proved its key, and this client has sent the proof of its own. */
export interface Greeted {
  readonly features: readonly string[]
  /** Whether the peer takes the proof. What is asked meanwhile it answers after that. */
  readonly proved: Promise<Answer<unknown>>
}

/**
 * Greets a peer that the trackers named. Returns its refusal likewise; rejects with a failure when another client answers,
 * or when the connection is lost. The proof goes out with what is asked in the same turn: on a long line each round trip
 * counts.
 */
export async function greetPeer(
  caller: Caller<PeerProtocol>,
  { peer, ticket, identity }: Introduction,
): Promise<Answer<Greeted>> {
  const nonce = makeNonce()
  const program = clientProgram
  const greeting = await caller
    .request('hello', { protocol: protocolVersion, program, nonce, ticket }, { timeoutMs: openTimeoutMs })
    .catch((error: unknown) => {
      if (!(error instanceof Failure) || error.code !== 'protocol') throw error
      // Not the peer's fault: it has not proved its key, so another program may listen there.
      throw new Failure('connection-lost', `what listens at ${nameOf(peer)} is not that client`, error)
    })
  if (!greeting.ok) return greeting
  const { key, proof: theirs } = greeting.value
  const challenge = {
    callerNonce: nonce,
    responderNonce: greeting.value.nonce,
    callerKey: identity.publicKey,
    responderKey: key,
    binding: caller.channel.secure?.binding,
  }
  if (key !== peer.key || !checkProof('responder', challenge, theirs)) {
    throw notThatClient(peer)
  }
  const proof = proveKey(identity, 'caller', challenge)
  const proved = caller.request('prove', { proof }, { timeoutMs: openTimeoutMs })
  // Whoever asks for something hears of it.
  proved.catch(() => undefined)
  return accept({ features: greeting.value.features ?? [], proved })
}
