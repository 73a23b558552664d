// A caller of the peer protocol that does only what a test says, in whatever order: the honest client
// would not try these things.

import { onTestFinished } from 'vitest'
import type { Address } from '../../src/common/addresses.ts'
import { lineBytesMax } from '../../src/common/limits.ts'
import { peerProtocol, type PeerProtocol } from '../../src/common/protocol/peer-protocol.ts'
import type { BlockRange } from '../../src/common/recipe/ranges.ts'
import type { Answer } from '../../src/common/refusal.ts'
import { makeNonce, proveKey } from '../../src/common/security/challenge.ts'
import { makeIdentity, type Identity } from '../../src/common/security/identity.ts'
import { protocolVersion } from '../../src/common/version.ts'
import { Caller } from '../../src/common/wire/caller.ts'
import { openChannel } from '../../src/common/wire/open-channel.ts'
import type { Result } from '../../src/common/wire/methods.ts'
import type { Coming } from '../tracker/support/test-client.ts'

export class RawPeer {
  readonly caller: Caller<PeerProtocol>
  /** Resolves when the other end has hung up, to what it is known by. */
  readonly closed: Promise<string>
  /** Raw bytes that came behind an answer. */
  bodyBytes = 0
  /** Told which piece was chosen for a request. */
  onChosen: (index: number) => void = () => undefined
  readonly #identity: Identity
  #greeting: (Result<PeerProtocol, 'hello'> & { own: string }) | undefined

  private constructor(
    caller: (onClosed: (reason: string) => void) => Caller<PeerProtocol>,
    identity: Identity,
  ) {
    let tell: (reason: string) => void = () => undefined
    this.closed = new Promise((resolve) => (tell = resolve))
    this.caller = caller((reason) => tell(reason))
    this.#identity = identity
  }

  /** Ends with the test. */
  static async connect(
    port: number,
    identity = makeIdentity(),
    onHave: (index: number) => void = () => undefined,
    isSecure = false,
  ): Promise<RawPeer> {
    const peer = await RawPeer.open({ host: '127.0.0.1', port }, { identity, isSecure }, onHave)
    onTestFinished(() => peer.caller.close())
    return peer
  }

  /** For callers that are no test, and close it themselves. */
  static async open(
    address: Address,
    { identity = makeIdentity(), isSecure = false, localHost }: Coming = {},
    onHave: (index: number) => void = () => undefined,
  ): Promise<RawPeer> {
    const tls = isSecure ? { check: () => undefined } : undefined
    const channel = await openChannel(address, lineBytesMax, { tls, localHost })
    const onTold = {
      have: ({ index }: { index: number }) => onHave(index),
      chosen: ({ index }: { index: number }) => peer.onChosen(index),
      closed: () => undefined,
    }
    const peer = new RawPeer(
      (onClosed) =>
        new Caller(channel, peerProtocol, { onTold, onClosed: (reason) => onClosed(reason.message) }),
      identity,
    )
    return peer
  }

  async hello(ticket: string): Promise<Answer<Result<PeerProtocol, 'hello'>>> {
    const own = makeNonce()
    const answer = await this.caller.request('hello', {
      protocol: protocolVersion,
      program: 'raw',
      nonce: own,
      ticket,
    })
    if (answer.ok) this.#greeting = { ...answer.value, own }
    return answer
  }

  /** What both ends share; undefined without TLS. */
  get binding(): string | undefined {
    return this.caller.channel.secure?.binding
  }

  /** Proves the key of its own identity, whatever the ticket says; as for a plain connection with null. */
  async prove(binding: string | null | undefined = this.binding): Promise<Answer<object>> {
    const { own = '', nonce = '', key = '' } = this.#greeting ?? {}
    const challenge = {
      callerNonce: own,
      responderNonce: nonce,
      callerKey: this.#identity.publicKey,
      responderKey: key,
      binding: binding ?? undefined,
    }
    return this.caller.request('prove', { proof: proveKey(this.#identity, 'caller', challenge) })
  }

  /** As far as an honest peer gets: the code of the first refusal, or the number of bytes of piece 0. */
  async fetch(ticket: string, fileId: string): Promise<string | number> {
    for (const step of [() => this.hello(ticket), () => this.prove(), () => this.open(fileId)]) {
      const answer = await step()
      if (!answer.ok) return answer.refusal.code
    }
    const answer = await this.piece(fileId, 0)
    return answer.ok ? this.bodyBytes : answer.refusal.code
  }

  renew(ticket: string): Promise<Answer<object>> {
    return this.caller.request('renew', { ticket })
  }

  open(fileId: string): Promise<Answer<object>> {
    return this.caller.request('open', { fileId })
  }

  /** Only these parts of it, where some are given. */
  piece(fileId: string, index: number | undefined, ranges?: BlockRange[]): Promise<Answer<object>> {
    return this.caller.request(
      'piece',
      { fileId, index, ranges },
      { bodyBuffer: (bytes) => this.#take(bytes) },
    )
  }

  manifest(fileId: string): Promise<Answer<object>> {
    return this.caller.request('manifest', { fileId }, { bodyBuffer: (bytes) => this.#take(bytes) })
  }

  recipe(fileId: string, groups?: BlockRange[]): Promise<Answer<object>> {
    return this.caller.request('recipe', { fileId, groups }, { bodyBuffer: (bytes) => this.#take(bytes) })
  }

  #take(bytes: number): Buffer {
    this.bodyBytes += bytes
    return Buffer.alloc(bytes)
  }
}
