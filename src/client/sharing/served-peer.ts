// Serves one connection of another client, from its ticket to its last piece.

import { protocolVersion, clientProgram } from '../../common/version.ts'
import { peerProtocol, recipesFeature, type PeerProtocol } from '../../common/protocol/peer-protocol.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { checkProof, makeNonce, proveKey, type Challenge } from '../../common/security/challenge.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Ticket } from '../../common/security/ticket.ts'
import { networkOf } from '../../common/networks.ts'
import { lineBytesMax, stalledInPiecesAfterMs, unsentToPeerBytesMax } from '../../common/limits.ts'
import type { Channel } from '../../common/wire/channel.ts'
import type { Connection } from '../../common/wire/listener.ts'
import type { Params, Stage } from '../../common/wire/methods.ts'
import { answeredElsewhere, Responder, type Handlers } from '../../common/wire/responder.ts'
import type { Way } from '../way.ts'
import type { AnswerLimit } from './answer-limit.ts'
import type { Answering, UploadPeer } from './answering.ts'
import type { EntryLimit } from './entry-limits.ts'
import type { FileDemands } from './file-demands.ts'
import { RoundTrip } from './round-trip.ts'
import { OpenedFiles } from './opened-files.ts'
import type { PieceDemand } from './piece-demand.ts'
import { loadPiece, problemOfParts } from './piece-parts.ts'
import type { PieceSource } from './piece-source.ts'
import { SentFiles, type SentFile } from './sent-files.ts'
import type { Came, ServingParts } from './serving-parts.ts'
import { within } from './within-limit.ts'

type Asked<M extends keyof PeerProtocol['requests']> = Params<PeerProtocol, M>

/** State that the connections of one peer server share. */
export interface Shared {
  readonly demands: FileDemands<ServedPeer>
  readonly turns: AnswerLimit
  /** A peer begins with a file. */
  readonly onOpened: (peer: ServedPeer, fileId: string, key: string) => void
}

/** What a peer fetches from this client. */
export interface Upload extends SentFile {
  readonly user: string
  readonly group: string
  readonly key: string
  /** `user@ip`. */
  readonly peer: string
  readonly way: Way
  readonly pieceCount: number
  /** What it has or is being sent, as far as it said; at least what it got from here. */
  readonly pieces: number
}

/** Microseconds that it takes to count one wanted piece, and to forget it again. */
const wantCost = 0.06

export class ServedPeer implements UploadPeer {
  readonly #parts: ServingParts
  readonly #shared: Shared
  readonly #responder: Responder<PeerProtocol, undefined>
  readonly #opened: OpenedFiles
  readonly #connection: Connection
  readonly #way: Way
  readonly #sent = new SentFiles()
  readonly roundTrip = new RoundTrip()
  #stage: Stage = 'connected'
  #ticket: Ticket | undefined
  /** The user whom the shown ticket names. */
  #claimedUser: string | undefined
  #challenge: Challenge | undefined

  constructor({ connection, way }: Came, parts: ServingParts, shared: Shared, onClosed: () => void) {
    const { channel } = connection
    this.#way = way
    this.#connection = connection
    this.#parts = parts
    this.#shared = shared
    channel.stalledAfterMs = stalledInPiecesAfterMs
    channel.unsentBytesMax = unsentToPeerBytesMax
    this.#opened = new OpenedFiles(channel, (fileId, index) => this.#tellHave(fileId, index))
    this.#responder = new Responder(channel, {
      protocol: peerProtocol,
      from: undefined,
      handlers: this.#handlers(),
      onTold: {
        cancel: ({ request }) => parts.uploads.cancel(this, request),
        wants: ({ fileId, bitfield }) => this.#onWants(fileId, bitfield),
        taken: ({ fileId, index }) => this.#onTaken(fileId, index),
      },
      costOfTold: { wants: ({ bitfield }) => 6 * bitfield.length * wantCost },
      turns: shared.turns,
      owner: (method, params) => this.#ownerOf(method, params),
      stage: () => this.#stage,
      onClosed: () => {
        parts.uploads.drop(this)
        onClosed()
      },
      onFailure: parts.onFailure,
      onAnswered: () => this.#countAnswer(),
      onRefused: () => this.#countAnswer(),
    })
  }

  /** Whose share of this client's time and uploads it uses. */
  get owner(): string {
    if (this.#stage === 'proven' && this.#ticket !== undefined) return this.#ticket.user
    const network = networkOf(this.#connection.remoteHost)
    // Until the key is proved, anybody could show this ticket.
    return this.#claimedUser === undefined ? `from ${network}` : `${this.#claimedUser} from ${network}`
  }

  /**
   * A caller whose ticket was seen before is charged as its user from `hello` on. So callers that reconnect again and
   * again wait for each other, and newcomers from the same address need not wait for them.
   */
  #ownerOf(method: string | undefined, params: unknown): string {
    if (this.#stage === 'connected' && method === 'hello' && this.#claimedUser === undefined) {
      const { ticket } = (params ?? {}) as { readonly ticket?: unknown }
      const user = typeof ticket === 'string' ? this.#parts.tickets.userOf(ticket) : undefined
      if (user !== undefined) this.#claim(user)
    }
    return this.owner
  }

  #claim(user: string): void {
    this.#claimedUser = user
    this.#connection.claim(user)
  }

  /** Goes by the ticket, even before the key is proved. */
  isOf(group: string, user: string): boolean {
    return this.#ticket?.group === group && this.#ticket.user === user
  }

  /** What it was sent of late. */
  uploads(nowMs: number): Upload[] {
    const ticket = this.#ticket
    if (this.#stage !== 'proven' || ticket === undefined) return []
    const peer = `${ticket.user}@${this.#connection.remoteHost}`
    const { user, group, key } = ticket
    const way = this.#way
    return this.#sent.recent(nowMs).flatMap((sent) => {
      const source = this.#parts.sources.find(group, sent.fileId)
      if (source === undefined) return []
      const { pieceCount } = source.manifest
      const wanted = this.#demand(sent.fileId)?.wantedCount(this) ?? pieceCount
      const pieces = Math.max(this.#sent.piecesOf(sent.fileId), pieceCount - wanted)
      return [{ ...sent, user, group, key, peer, way, pieceCount, pieces: Math.min(pieces, pieceCount) }]
    })
  }

  get channel(): Channel {
    return this.#responder.channel
  }

  get isGone(): boolean {
    return this.channel.isClosed
  }

  fetches(fileId: string, key: string): boolean {
    return this.#ticket?.key === key && this.#opened.has(fileId)
  }

  onHave(group: string, { fileId, pieceCount }: Manifest, index: number): void {
    if (this.#ticket?.group !== group || !this.#opened.has(fileId)) return
    this.#opened.onHave(fileId, index, pieceCount)
  }

  tellClosed(group: string, fileId: string, why: string): void {
    if (this.#ticket?.group !== group || !this.#opened.close(fileId)) return
    this.#responder.tell('closed', { fileId, why: why.slice(0, 200) })
  }

  close(sentence: string): void {
    this.#responder.close(sentence)
  }

  tellChosen(requestId: number, index: number): void {
    this.#responder.tell('chosen', { request: requestId, index })
  }

  begin(requestId: number, index: number | undefined, bytes: number): void {
    this.#sent.onBegun(requestId, performance.now())
    this.#responder.beginBulk(requestId, index === undefined ? {} : { index }, bytes)
  }

  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) =>
      this.#responder.channel.sendBytes(bytes, () => {
        this.#sent.onSent(bytes.length, performance.now())
        resolve()
      }),
    )
  }

  refuse(requestId: number, answer: Answer<never>): void {
    this.#sent.onRefused(requestId)
    this.#responder.answer(requestId, answer)
  }

  #handlers(): Handlers<PeerProtocol, undefined> {
    return {
      hello: (params) => this.#hello(params),
      ping: () => accept({}),
      prove: ({ proof }) => this.#prove(proof),
      renew: ({ ticket }) => this.#renew(ticket),
      open: ({ fileId }) => this.#open(fileId),
      manifest: ({ fileId }, _from, requestId) => this.#manifest(fileId, requestId),
      recipe: (params, _from, requestId) => this.#recipe(params, requestId),
      piece: (params, _from, requestId) => this.#piece(params, requestId),
    }
  }

  #hello({
    protocol,
    nonce,
    ticket,
  }: Asked<'hello'>): ReturnType<Handlers<PeerProtocol, undefined>['hello']> {
    if (protocol !== protocolVersion) {
      return refuse('protocol-version', `this client speaks version ${protocolVersion} of the peer protocol`)
    }
    if (this.#stage !== 'connected') return refuse('invalid-request', 'hello was said already')
    const admitted = this.#parts.tickets.admit(ticket)
    if (!admitted.ok) return admitted
    const { identity } = this.#parts
    const { secure } = this.#connection.channel
    this.#ticket = admitted.value
    this.#challenge = {
      callerNonce: nonce,
      responderNonce: makeNonce(),
      callerKey: admitted.value.key,
      responderKey: identity.publicKey,
      binding: secure?.binding,
    }
    this.#stage = 'greeted'
    this.#claim(admitted.value.user)
    this.roundTrip.onAnswered(performance.now())
    return accept({
      protocol: protocolVersion,
      program: clientProgram,
      nonce: this.#challenge.responderNonce,
      key: identity.publicKey,
      proof: proveKey(identity, 'responder', this.#challenge),
      features: [recipesFeature],
    })
  }

  #prove(proof: string): Answer<Record<string, never>> {
    this.roundTrip.onAsked(performance.now())
    if (this.#challenge === undefined || !checkProof('caller', this.#challenge, proof)) {
      return refuse('proof-failed', 'this is not the key that the ticket names')
    }
    this.#stage = 'proven'
    this.#connection.channel.lineBytesMax = lineBytesMax
    if (this.#ticket !== undefined) this.#connection.prove(this.#ticket.user)
    return accept({})
  }

  #renew(text: string): Answer<Record<string, never>> {
    const admitted = this.#parts.tickets.admit(text)
    if (!admitted.ok) return admitted
    const { user, group, key } = admitted.value
    if (user !== this.#ticket?.user || group !== this.#ticket.group || key !== this.#ticket.key) {
      return refuse('ticket-invalid', 'this ticket is for somebody else')
    }
    this.#ticket = admitted.value
    return accept({})
  }

  #source(fileId: string): Answer<PieceSource> {
    const ticket = this.#ticket
    if (ticket === undefined || !this.#parts.tickets.isStillGood(ticket)) {
      return refuse('ticket-lapsed', 'this ticket has expired')
    }
    const source = this.#parts.sources.find(ticket.group, fileId)
    if (source === undefined) return refuse('not-shared', 'this client does not share that file')
    return accept(source)
  }

  #open(fileId: string): Answer<{ pieces: number; bitfield: string }> {
    const source = this.#source(fileId)
    if (!source.ok) return source
    const isNew = !this.#opened.has(fileId)
    if (!this.#opened.open(fileId)) return refuse('busy', 'too many files are open on this connection')
    if (isNew && this.#ticket !== undefined) this.#shared.onOpened(this, fileId, this.#ticket.key)
    const bitfield = source.value.have.toBase64()
    this.#countAnswer(bitfield.length)
    return accept({ pieces: source.value.manifest.pieceCount, bitfield })
  }

  #manifest(fileId: string, requestId: number): Answer<never> | typeof answeredElsewhere {
    const source = this.#source(fileId)
    if (!source.ok) return source
    this.#addBytes(requestId, () => Promise.resolve(accept(source.value.manifest.bytes)))
    return answeredElsewhere
  }

  #recipe({ fileId, groups }: Asked<'recipe'>, requestId: number): Answer<never> | typeof answeredElsewhere {
    const source = this.#source(fileId)
    if (!source.ok) return source
    const { recipes, onFailure } = this.#parts
    // Queued when it is there: a turn that waits for the making of it would hold up others.
    recipes.prepare(source.value).then((prepared) => {
      if (this.isGone) return
      if (prepared.ok) this.#addBytes(requestId, () => recipes.load(source.value, groups))
      else this.refuse(requestId, prepared)
    }, onFailure)
    return answeredElsewhere
  }

  /** `load` is called when its turn comes, so that many requests hold no memory. */
  #addBytes(requestId: number, load: () => Promise<Answer<Uint8Array>>): void {
    this.#parts.uploads.add(this, { id: requestId, take: () => ({ load }) })
  }

  #piece(
    { fileId, index, ranges }: Asked<'piece'>,
    requestId: number,
  ): Answer<never> | typeof answeredElsewhere {
    const source = this.#source(fileId)
    if (!source.ok) return source
    const problem = problemOfParts(source.value, index, ranges)
    if (problem !== undefined) return refuse('invalid-request', problem)
    this.#sent.onAsked(requestId, fileId)
    if (index === undefined) {
      this.#parts.uploads.add(this, {
        id: requestId,
        choosesFrom: fileId,
        take: () => this.#within(fileId, (limit) => this.#choose(fileId, limit)),
      })
      return answeredElsewhere
    }
    if (!source.value.have.has(index)) {
      this.#sent.onRefused(requestId)
      return refuse('piece-missing', 'this client does not have that piece')
    }
    this.#demand(fileId)?.onTaken(this, index)
    const load = (buffer: Buffer): Promise<Answer<Uint8Array>> =>
      loadPiece(source.value, index, buffer, ranges)
    const take = (limit: EntryLimit | undefined): Answering => ({ index, load, limit })
    this.#parts.uploads.add(this, { id: requestId, take: () => this.#within(fileId, take) })
    return answeredElsewhere
  }

  /** Undefined while the limit of the entry allows no further piece. */
  #within(
    fileId: string,
    take: (limit: EntryLimit | undefined) => Answering | undefined,
  ): Answering | undefined {
    const { limits, uploads } = this.#parts
    return within({ limits, uploads, group: this.#ticket?.group ?? '', fileId }, take)
  }

  /** Called when its turn comes, which may be long after the request, so the ticket is checked again. */
  #choose(fileId: string, limit: EntryLimit | undefined): Answering | undefined {
    const source = this.#source(fileId)
    if (!source.ok) return { load: () => Promise.resolve(source) }
    const demand = this.#demand(fileId)
    let index = demand?.pickFor(this)
    // A file that changed on disk loses pieces.
    while (index !== undefined && !source.value.have.has(index)) index = demand?.pickFor(this)
    if (index === undefined) return undefined
    return this.#chosen(source.value, index, limit)
  }

  #chosen(source: PieceSource, index: number, limit: EntryLimit | undefined): Answering {
    return { index, isChoice: true, limit, load: (buffer) => loadPiece(source, index, buffer) }
  }

  /** Counts nothing before the key is proved: until then a connection gets only a few answers. */
  #countAnswer(bytes = 0): void {
    if (this.#stage === 'proven') this.#shared.turns.onAnswered(this.owner, bytes)
  }

  #demand(fileId: string): PieceDemand<ServedPeer> | undefined {
    return this.#ticket === undefined ? undefined : this.#shared.demands.find(this.#ticket.group, fileId)
  }

  #tellHave(fileId: string, index: number): void {
    // Skips peers that have the piece or are getting it: in a swarm that is every other one.
    if (this.#demand(fileId)?.mayWant(this, index) === false) return
    this.#responder.tell('have', { fileId, index })
  }

  #onTaken(fileId: string, index: number): void {
    this.#demand(fileId)?.onTaken(this, index)
    this.#parts.uploads.onTaken(this, index)
  }

  #onWants(fileId: string, bitfield: string): void {
    const source = this.#source(fileId)
    if (!source.ok || this.#ticket === undefined) return
    const wanted = this.#shared.demands.onWants(this.#ticket.group, source.value, this, bitfield)
    if (wanted.ok) this.#parts.uploads.lookAgain(this)
    else this.close(wanted.refusal.sentence)
  }
}
