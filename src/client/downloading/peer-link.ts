// A connection to one peer, for one file: shows the ticket, proves keys both ways, asks for pieces.
// Knows how fast the peer is; decides nothing about which piece.

import { formatAddress, type Address } from '../../common/addresses.ts'
import { Bitfield } from '../../common/bitfield.ts'
import { Failure } from '../../common/failure.ts'
import { lineBytesMax, manifestBytesMax, pieceCountMax } from '../../common/limits.ts'
import { parseManifest, type Manifest } from '../../common/manifest.ts'
import { peerProtocol, type PeerProtocol } from '../../common/protocol/peer-protocol.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { checkProof, makeNonce, proveKey } from '../../common/security/challenge.ts'
import type { Identity } from '../../common/security/identity.ts'
import { protocolVersion, version } from '../../common/version.ts'
import { Caller } from '../../common/wire/caller.ts'
import { openChannel } from '../../common/wire/channel.ts'
import { callFrom } from '../tracker-link/call-from.ts'
import type { TokenBucket } from '../transfer/token-bucket.ts'
import type { PieceBuffer } from '../workers/store-pool.ts'

export interface PeerLinkOptions {
  readonly peer: Peer
  readonly fileId: string
  readonly ticket: string
  readonly identity: Identity
  readonly listen: Address
  /** The download limit. */
  readonly bucket: TokenBucket
}

export interface PeerLinkEvents {
  onHave(index: number): void
  /** The connection or the peer's offer of the file has ended. Called once, if `use` was called. */
  onClosed(why: string): void
}

/** Without a byte of a manifest for so long, it is asked for elsewhere; while bytes come, it goes on. */
const manifestTimeoutMs = 5000

/** Without a byte for so long, though pieces are asked for, the peer is asked whether it lives … */
const silentMs = 1500
/** Reading pauses for the download limit for so long at a time. */
const longestPauseMs = 250
/** … and given up when it does not answer this question in time either. */
const pingTimeoutMs = 2500

export class PeerLink {
  readonly peer: Peer
  readonly #options: PeerLinkOptions
  readonly #caller: Caller<PeerProtocol>
  readonly #asked = new Map<number, number>()
  readonly #early: number[] = []
  #events: PeerLinkEvents | undefined
  #closedBecause: string | undefined
  #pinging = false
  #lastPieceAtMs = 0
  #msPerPiece: number | undefined
  #paused = false

  private constructor(options: PeerLinkOptions, caller: Caller<PeerProtocol>) {
    this.peer = options.peer
    this.#options = options
    this.#caller = caller
  }

  /**
   * Connects and gets admitted. A refusal is the peer's (no such ticket, not shared any more); a failure
   * is the network's, or a peer that is not who the tracker says it is.
   */
  static async open(options: PeerLinkOptions): Promise<Answer<PeerLink>> {
    const { peer, listen, bucket } = options
    const channel = await openChannel({ host: peer.host, port: peer.port }, lineBytesMax, {
      localHost: callFrom(listen, peer),
      readBytesMax: () => bucket.sliceBytes,
    })
    const caller: Caller<PeerProtocol> = new Caller(channel, peerProtocol, {
      onTold: {
        have: ({ fileId, index }) => fileId === options.fileId && link.onHave(index),
        closed: ({ fileId, why }) => fileId === options.fileId && link.close(why),
      },
      onClosed: (reason) => link.onClosed(reason.message),
      onBytes: (count) => link.onBytes(count),
    })
    // Made in the same turn: nothing can have been told yet.
    const link = new PeerLink(options, caller)
    try {
      const admitted = await link.#greet()
      if (admitted.ok) return accept(link)
      caller.close(admitted.refusal.sentence)
      return admitted
    } catch (error) {
      caller.close()
      throw error
    }
  }

  /** `user@ip:port`, as people are shown it. */
  get name(): string {
    return `${this.peer.user}@${formatAddress(this.peer)}`
  }

  /** Pieces that were asked for and have not come. */
  get askedCount(): number {
    return this.#asked.size
  }

  /** How long a piece takes at present, in milliseconds; undefined before the first. */
  get msPerPiece(): number | undefined {
    return this.#msPerPiece
  }

  /** Sets who is told, also of what happened before. */
  use(events: PeerLinkEvents): void {
    this.#events = events
    for (const index of this.#early.splice(0)) events.onHave(index)
    if (this.#closedBecause !== undefined) events.onClosed(this.#closedBecause)
  }

  /** Which pieces the peer has; from then on `onHave` tells of each new one. */
  async openFile(pieceCount: number): Promise<Answer<Bitfield>> {
    const opened = await this.#caller.request('open', { fileId: this.#options.fileId })
    if (!opened.ok) return opened
    const bitfield = Bitfield.fromBytes(Buffer.from(opened.value.bitfield, 'base64'), pieceCount)
    if (bitfield === undefined) throw new Failure('protocol', `${this.name} sent an impossible bitfield`)
    return accept(bitfield)
  }

  /** The manifest that the file id proves; `piece-missing` when the peer sent another. */
  async fetchManifest(): Promise<Answer<Manifest>> {
    let body: Buffer | undefined
    const answer = await this.#caller.request(
      'manifest',
      { fileId: this.#options.fileId },
      {
        bodyBuffer: (bytes) => (body = Buffer.allocUnsafeSlow(Math.min(bytes, manifestBytesMax))),
        timeoutMs: manifestTimeoutMs,
      },
    )
    if (!answer.ok) return answer
    const manifest = body === undefined ? undefined : parseManifest(body)
    if (manifest?.fileId !== this.#options.fileId)
      return refuse('piece-missing', `${this.name} sent a wrong manifest`)
    return accept(manifest)
  }

  /**
   * Asks for a piece of `length` bytes; it is not verified here. `take` gives the buffer for it when its
   * bytes begin to come. Rejects with a failure when the connection ends.
   */
  async piece(index: number, length: number, take: () => PieceBuffer): Promise<Answer<PieceBuffer>> {
    let buffer: PieceBuffer | undefined
    const askedAtMs = performance.now()
    try {
      const answer = await this.#caller.request(
        'piece',
        { fileId: this.#options.fileId, index },
        {
          timeoutMs: 0,
          onSent: (id) => this.#asked.set(index, id),
          bodyBuffer: (count) => {
            if (count !== length)
              throw new Failure('protocol', `${this.name} sent a piece of ${count} bytes, not ${length}`)
            buffer = take()
            return buffer.bytes.subarray(0, length)
          },
        },
      )
      if (!answer.ok) return answer
      if (buffer === undefined) throw new Failure('protocol', `${this.name} sent an answer without a piece`)
      this.#measure(askedAtMs)
      return accept(buffer)
    } catch (error) {
      // The channel is closed, and reads no more into it.
      buffer?.release()
      throw error
    } finally {
      this.#asked.delete(index)
    }
  }

  /** The piece is not needed any more. It may come all the same. */
  cancel(index: number): void {
    const request = this.#asked.get(index)
    if (request !== undefined) this.#caller.tell('cancel', { request })
  }

  async renew(ticket: string): Promise<Answer<unknown>> {
    return this.#caller.request('renew', { ticket })
  }

  /** Called every now and then: a peer that owes pieces and is silent is asked whether it lives. */
  checkAlive(nowMs: number): void {
    if (this.#asked.size === 0 || this.#pinging || this.#paused) return
    if (nowMs - this.#caller.channel.lastHeardAtMs < silentMs) return
    this.#pinging = true
    this.#caller.request('ping', {}, { timeoutMs: pingTimeoutMs }).then(
      () => (this.#pinging = false),
      () => this.close('it does not answer'),
    )
  }

  close(why: string): void {
    this.#caller.close(why)
  }

  onHave(index: number): void {
    if (this.#events !== undefined) this.#events.onHave(index)
    // A peer that says more than there are pieces is not believed without bound.
    else if (this.#early.length < pieceCountMax) this.#early.push(index)
  }

  onClosed(why: string): void {
    this.#closedBecause = why
    this.#events?.onClosed(why)
  }

  /** Keeps to the download limit by not reading for a while: the peer is held back by TCP. */
  onBytes(count: number): void {
    const pauseMs = this.#options.bucket.spend(count)
    if (pauseMs <= 0 || this.#paused) return
    this.#paused = true
    this.#caller.channel.socket.pause()
    this.#resumeReading(pauseMs)
  }

  /** In short steps: the limit may be raised meanwhile. */
  #resumeReading(pauseMs: number): void {
    setTimeout(
      () => {
        const restMs = this.#options.bucket.spend(0)
        if (restMs > 0) {
          this.#resumeReading(restMs)
          return
        }
        this.#paused = false
        this.#caller.channel.lastHeardAtMs = performance.now()
        this.#caller.channel.socket.resume()
      },
      Math.min(pauseMs, longestPauseMs),
    )
  }

  async #greet(): Promise<Answer<void>> {
    const { identity, peer, ticket } = this.#options
    const nonce = makeNonce()
    const program = `coterie-client/${version}`
    const greeting = await this.#caller.request('hello', {
      protocol: protocolVersion,
      program,
      nonce,
      ticket,
    })
    if (!greeting.ok) return greeting
    const { key, proof } = greeting.value
    const challenge = {
      callerNonce: nonce,
      responderNonce: greeting.value.nonce,
      callerKey: identity.publicKey,
      responderKey: key,
    }
    if (key !== peer.key || !checkProof('responder', challenge, proof)) {
      throw new Failure('protocol', `${this.name} is not the client that the tracker named`)
    }
    const proved = await this.#caller.request('prove', { proof: proveKey(identity, 'caller', challenge) })
    return proved.ok ? accept(undefined) : proved
  }

  /** A piece came: the time since the last one, or since it was asked for, is what a piece takes. */
  #measure(askedAtMs: number): void {
    const nowMs = performance.now()
    const tookMs = nowMs - Math.max(this.#lastPieceAtMs, askedAtMs)
    this.#lastPieceAtMs = nowMs
    this.#msPerPiece = this.#msPerPiece === undefined ? tookMs : this.#msPerPiece * 0.8 + tookMs * 0.2
  }
}
