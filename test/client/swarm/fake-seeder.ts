// A peer of the swarm that may behave as badly as a test wants: speaks the real protocol over a real
// socket, and for the rest does as it is told.

import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createSecureServer, TLSSocket } from 'node:tls'
import { PieceDemand } from '../../../src/client/sharing/piece-demand.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { lengthOfPiece, offsetOfPiece, type Manifest } from '../../../src/common/manifest.ts'
import {
  peerProtocol,
  recipesFeature,
  type PeerProtocol,
} from '../../../src/common/protocol/peer-protocol.ts'
import { seededRandom } from '../../simulation/seeded-random.ts'
import type { Peer } from '../../../src/common/protocol/tracker-protocol.ts'
import { bytesIn, gather, type BlockRange } from '../../../src/common/recipe/ranges.ts'
import { blocksOfGroups, parseRecipe } from '../../../src/common/recipe/recipe.ts'
import { accept, refuse, type Refusal } from '../../../src/common/refusal.ts'
import { lineBytesMax } from '../../../src/common/limits.ts'
import { makeNonce, proveKey } from '../../../src/common/security/challenge.ts'
import { makeIdentity, type Identity } from '../../../src/common/security/identity.ts'
import { protocolVersion } from '../../../src/common/version.ts'
import { Channel } from '../../../src/common/wire/channel.ts'
import { secureOf } from '../../../src/common/wire/tls.ts'
import type { Stage } from '../../../src/common/wire/methods.ts'
import { answeredElsewhere, Responder, type Handlers } from '../../../src/common/wire/responder.ts'

/** How a piece is answered. */
export interface PieceReply {
  /** The bytes that the manifest promises. */
  readonly right: Buffer
  /** How many pieces this seeder was asked for before, over all connections. */
  readonly before: number
  readonly send: (bytes: Buffer) => void
  /** Announces so many bytes, and sends these. */
  readonly sendPart: (announced: number, bytes: Buffer) => void
  /** Sends more of what was announced; nothing when the connection is gone. */
  readonly sendMore: (bytes: Buffer) => void
  /** Says that this piece comes next, where the choice was left to this seeder; or that another one does. */
  readonly promise: (another?: number) => void
  readonly refuse: (code: Refusal['code'], sentence: string) => void
  /** Reads and answers nothing more, not even a ping. */
  readonly fallSilent: () => void
  /** Ends the connection as it stands. */
  readonly hangUp: () => void
}

export interface Behaviour {
  piece?: (reply: PieceReply, index: number) => void
  /** The bitfield that it claims, base64. */
  bitfield?: string
  /** The manifest that it sends. */
  manifest?: Buffer
  /** Told when it is asked for the manifest, which it then does not send. */
  holdsManifest?: () => void
  /** Sends a byte of a long manifest every 200 ms. */
  dripsManifest?: boolean
  /** Offers this recipe, also one that is none, and parts of pieces; without one it is an earlier program. */
  recipe?: Buffer
  /** Takes requests for it, and never answers. */
  holdsRecipe?: boolean
  /** Gives the outline of it, and is gone when more is asked for. */
  hangsUpAtGroups?: boolean
  /** Signs with another key than the one it is known by. */
  impostor?: boolean
  refusesTickets?: boolean
  /** Accepts connections and says nothing on them. */
  silent?: boolean
  /** The key of the caller, by its ticket; by default the ticket is the key. */
  callerKey?: (ticket: string) => string
  /** Told of each piece that comes from elsewhere, while the choice is left to this seeder. */
  onTaken?: (index: number) => void
  /** Has each piece from when it hears that it is coming to the downloader from elsewhere, and does not say so. */
  getsWhatIsTaken?: boolean
  /** Told of every piece that it is asked for. */
  onAsked?: () => void
  /** Takes encrypted connections, and no others. */
  isSecure?: boolean
  /** Lies at the end of a long line: what it says until the file is open comes so much later, in milliseconds. */
  roundTripMs?: number
  /** Sends a piece in so many milliseconds on each connection, one after the other; or differently on each. */
  pieceMs?: number | ((connection: number) => number)
  /** Turns away more connections than that. */
  connectionsMax?: number
}

/** The downloader of a connection. */
const only = 'downloader'

export class FakeSeeder {
  readonly user: string
  readonly #content: Buffer
  readonly #manifest: Manifest
  readonly #behaviour: Behaviour
  readonly identity: Identity = makeIdentity()
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #stuck = new WeakSet<object>()
  /** Every piece it was asked for, in order. */
  readonly asked: number[] = []
  /** Those of which only parts were asked for. */
  readonly askedParts: { readonly index: number; readonly ranges: readonly BlockRange[] }[] = []
  /** How often a request found nothing to choose from. */
  waits = 0
  /** Outlines of recipes. */
  recipesGiven = 0
  /** The groups whose blocks it was asked for. */
  readonly askedGroups: BlockRange[] = []
  connections = 0
  /** The most of them at once. */
  connectionsAtOnce = 0
  /** How many pieces it was asked for on each connection. */
  readonly askedByConnection: number[] = []
  /** Tickets that it was shown after the first of a connection. */
  renewals = 0
  #port = 0
  #sentBytes = 0

  private constructor(user: string, content: Buffer, manifest: Manifest, behaviour: Behaviour) {
    this.user = user
    this.#content = content
    this.#manifest = manifest
    this.#behaviour = behaviour
    this.#server =
      behaviour.isSecure === true
        ? createSecureServer({ ...this.identity.forTls, minVersion: 'TLSv1.3' }, (socket) =>
            this.#serve(socket),
          )
        : createServer((socket) => this.#serve(socket))
  }

  static async start(
    user: string,
    content: Buffer,
    manifest: Manifest,
    behaviour: Behaviour = {},
  ): Promise<FakeSeeder> {
    const seeder = new FakeSeeder(user, content, manifest, behaviour)
    seeder.#server.listen(0, '127.0.0.1')
    await once(seeder.#server, 'listening')
    seeder.#port = (seeder.#server.address() as AddressInfo).port
    return seeder
  }

  /** Listens again where it did before `stop`. */
  async startAgain(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get peer(): Peer {
    return {
      user: this.user,
      host: '127.0.0.1',
      port: this.#port,
      key: this.identity.publicKey,
      complete: true,
    }
  }

  get connectionsNow(): number {
    return this.#sockets.size
  }

  /** Ends the oldest connection. */
  hangUpFirst(): void {
    for (const socket of this.#sockets) {
      socket.destroy()
      return
    }
  }

  /** Bytes that it sent, over all connections. */
  get sentBytes(): number {
    let sum = this.#sentBytes
    for (const socket of this.#sockets) sum += socket.bytesWritten
    return sum
  }

  stop(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #serve(socket: Socket): void {
    const secure = socket instanceof TLSSocket ? secureOf(socket) : undefined
    const channel = new Channel(socket, 4096, { secure })
    this.connections++
    this.#sockets.add(socket)
    this.connectionsAtOnce = Math.max(this.connectionsAtOnce, this.#sockets.size)
    if (this.#sockets.size > (this.#behaviour.connectionsMax ?? Infinity)) socket.destroy()
    socket.on('close', () => {
      if (this.#sockets.delete(socket)) this.#sentBytes += socket.bytesWritten
    })
    if (this.#behaviour.silent === true) return
    const stage = { now: 'connected' as Stage }
    const { pieceCount } = this.#manifest
    const has = Bitfield.fromBytes(Buffer.from(this.#behaviour.bitfield ?? '', 'base64'), pieceCount)
    const demand = new PieceDemand<string>(has ?? Bitfield.full(pieceCount), seededRandom(1))
    /** Requests with nothing to choose from. */
    const waiting: (() => void)[] = []
    const responder: Responder<PeerProtocol, undefined> = new Responder(channel, {
      protocol: peerProtocol,
      from: undefined,
      handlers: this.#handlers(stage, socket, () => responder, demand, waiting),
      onTold: {
        cancel: () => undefined,
        wants: ({ bitfield }) => {
          const pieces = Bitfield.fromBytes(Buffer.from(bitfield, 'base64'), pieceCount)
          if (pieces !== undefined) demand.onWants(only, pieces)
          for (const again of waiting.splice(0)) again()
        },
        taken: ({ index }) => {
          demand.onTaken(only, index)
          if (this.#behaviour.getsWhatIsTaken === true) demand.onHave(index)
          this.#behaviour.onTaken?.(index)
        },
      },
      stage: () => stage.now,
      onClosed: () => undefined,
      onFailure: (error) => {
        throw error
      },
    })
  }

  #handlers(
    stage: { now: Stage },
    socket: Socket,
    responder: () => Responder<PeerProtocol, undefined>,
    demand: PieceDemand<string>,
    waiting: (() => void)[],
  ): Handlers<PeerProtocol, undefined> {
    let sentAtMs = 0
    const nth = this.askedByConnection.push(0) - 1
    // At once, unless a line is long.
    const later = <T>(answer: T): T | Promise<T> => {
      const { roundTripMs } = this.#behaviour
      if (roundTripMs === undefined) return answer
      return new Promise((arrive) => setTimeout(() => arrive(answer), roundTripMs))
    }
    return {
      hello: ({ nonce, ticket }) => {
        if (this.#behaviour.refusesTickets === true) return refuse('ticket-invalid', 'not this one')
        stage.now = 'proven'
        responder().channel.lineBytesMax = lineBytesMax
        const challenge = {
          callerNonce: nonce,
          responderNonce: makeNonce(),
          callerKey: this.#behaviour.callerKey?.(ticket) ?? ticket,
          responderKey: this.identity.publicKey,
          binding: responder().channel.secure?.binding,
        }
        const signer = this.#behaviour.impostor === true ? makeIdentity() : this.identity
        const proof = proveKey(signer, 'responder', challenge)
        const { responderNonce, responderKey } = challenge
        return later(
          accept({
            protocol: protocolVersion,
            program: 'fake',
            nonce: responderNonce,
            key: responderKey,
            proof,
            ...(this.#behaviour.recipe === undefined ? {} : { features: [recipesFeature] }),
          }),
        )
      },
      ping: () => accept({}),
      prove: () => later(accept({})),
      renew: () => {
        this.renewals++
        return accept({})
      },
      open: () => {
        const { pieceCount } = this.#manifest
        const bitfield = this.#behaviour.bitfield ?? Bitfield.full(pieceCount).toBase64()
        return later(accept({ pieces: pieceCount, bitfield }))
      },
      manifest: (_params, _from, id) => {
        if (this.#behaviour.holdsManifest !== undefined) {
          this.#behaviour.holdsManifest()
          this.#behaviour.onAsked?.()
          return answeredElsewhere
        }
        if (this.#behaviour.dripsManifest === true) {
          const { channel } = responder()
          responder().beginBulk(id, {}, 1_000_000)
          const timer = setInterval(() => channel.sendBytes(Buffer.alloc(1), () => undefined), 200)
          socket.on('close', () => clearInterval(timer))
          this.#behaviour.onAsked?.()
          return answeredElsewhere
        }
        const bytes = this.#behaviour.manifest ?? this.#manifest.bytes
        responder().beginBulk(id, {}, bytes.length)
        responder().channel.sendBytes(bytes, () => undefined)
        return answeredElsewhere
      },
      recipe: ({ groups }, _from, id) => {
        const { recipe } = this.#behaviour
        if (recipe === undefined) return refuse('unknown-method', 'there is no method recipe')
        if (groups === undefined) this.recipesGiven++
        else this.askedGroups.push(...groups)
        this.#behaviour.onAsked?.()
        if (this.#behaviour.holdsRecipe === true) return answeredElsewhere
        if (groups !== undefined && this.#behaviour.hangsUpAtGroups === true) {
          socket.destroy()
          return answeredElsewhere
        }
        const bytes = this.#recipeBytes(recipe, groups)
        responder().beginBulk(id, {}, bytes.length)
        responder().channel.sendBytes(bytes, () => undefined)
        return answeredElsewhere
      },
      piece: ({ index: named, ranges }, _from, id) => {
        const tryIt = (): void => {
          const index = named ?? demand.pickFor(only)
          // With nothing to choose from, the request waits until more is wanted.
          if (index === undefined) {
            this.waits++
            waiting.push(tryIt)
            return
          }
          demand.onTaken(only, index)
          const reply = this.#reply(responder(), socket, { index, ranges }, id)
          this.asked.push(index)
          this.askedByConnection[nth] = (this.askedByConnection[nth] ?? 0) + 1
          if (ranges !== undefined) this.askedParts.push({ index, ranges })
          this.#behaviour.onAsked?.()
          const answer = this.#behaviour.piece ?? ((usual: PieceReply) => usual.send(usual.right))
          const { pieceMs: ofEach } = this.#behaviour
          const pieceMs = typeof ofEach === 'function' ? ofEach(nth) : ofEach
          if (pieceMs === undefined) answer(reply, index)
          else {
            sentAtMs = Math.max(performance.now(), sentAtMs) + pieceMs
            setTimeout(() => {
              if (!socket.destroyed) answer(reply, index)
            }, sentAtMs - performance.now())
          }
        }
        tryIt()
        return answeredElsewhere
      },
    }
  }

  #recipeBytes(recipe: Buffer, groups: BlockRange[] | undefined): Buffer {
    const parsed = parseRecipe(recipe, this.#manifest)
    if (parsed === undefined) return recipe
    return groups === undefined ? parsed.outline.bytes : (blocksOfGroups(parsed, groups) ?? Buffer.alloc(0))
  }

  #reply(
    responder: Responder<PeerProtocol, undefined>,
    socket: Socket,
    { index, ranges }: { readonly index: number; readonly ranges: readonly BlockRange[] | undefined },
    id: number,
  ): PieceReply {
    const sendPart = (announced: number, bytes: Buffer): void => {
      // Whoever left a piece unfinished can say nothing more on this connection.
      if (this.#stuck.has(responder)) return
      if (bytes.length < announced) this.#stuck.add(responder)
      responder.beginBulk(id, { index }, announced)
      responder.channel.sendBytes(bytes, () => undefined)
    }
    return {
      right: this.#bytesOf(index, ranges),
      before: this.asked.length,
      send: (bytes) => sendPart(bytes.length, bytes),
      sendPart,
      sendMore: (bytes) => {
        if (!socket.destroyed) responder.channel.sendBytes(bytes, () => undefined)
      },
      promise: (another = index) => responder.tell('chosen', { request: id, index: another }),
      refuse: (code, sentence) => responder.answer(id, refuse(code, sentence)),
      fallSilent: () => void socket.pause(),
      hangUp: () => socket.end(),
    }
  }

  #bytesOf(index: number, ranges: readonly BlockRange[] | undefined): Buffer {
    const [start, length] = [offsetOfPiece(this.#manifest, index), lengthOfPiece(this.#manifest, index)]
    const piece = this.#content.subarray(start, start + length)
    if (ranges === undefined) return piece
    const parts = Buffer.from(piece)
    gather(parts, ranges, length)
    return parts.subarray(0, bytesIn(ranges, length))
  }
}
