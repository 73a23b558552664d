// A peer server that shares one file from memory, and members of a group to fetch from it: real sockets, real tickets.

import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { PeerServer } from '../../../src/client/sharing/peer-server.ts'
import type { PieceSource } from '../../../src/client/sharing/piece-source.ts'
import { RecipeOffice } from '../../../src/client/sharing/recipe-office.ts'
import { SourceRegistry, type Offer } from '../../../src/client/sharing/source-registry.ts'
import { TicketOffice } from '../../../src/client/sharing/ticket-office.ts'
import { EntryLimits } from '../../../src/client/sharing/entry-limits.ts'
import { UploadQueue } from '../../../src/client/sharing/upload-queue.ts'
import { ManifestStore } from '../../../src/client/storage/manifest-store.ts'
import { RecipePool } from '../../../src/client/workers/recipe-pool.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { pieceBytes, ticketLifetimeMs } from '../../../src/common/limits.ts'
import { buildManifest, type Manifest } from '../../../src/common/manifest.ts'
import { pieceLength } from '../../../src/common/pieces.ts'
import { accept } from '../../../src/common/refusal.ts'
import { makeIdentity, type Identity } from '../../../src/common/security/identity.ts'
import { signTicket } from '../../../src/common/security/ticket.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { RawPeer } from '../../integration/raw-peer.ts'
import { Protection } from '../../../src/common/wire/protection.ts'

const group = 'g'
const tracker = makeIdentity()

/** A manifest of so many pieces; nobody looks at the hashes. */
export function manifestOf(pieceCount: number): Manifest {
  return buildManifest(pieceCount * pieceBytes, Buffer.alloc(52 * pieceCount, 1))
}

export class OneSharer {
  readonly manifest: Manifest
  /** The pieces that it has: all at first, unless it was made without. */
  readonly have: Bitfield
  readonly sources = new SourceRegistry()
  readonly uploads: UploadQueue
  readonly offer: Offer
  readonly limits: EntryLimits
  /** Where recipes are kept, beside the manifests that are there. */
  readonly kept = new ManifestStore(temporaryFolder())
  /** Pieces that were read. */
  reads = 0
  readonly #tickets = new TicketOffice(() => undefined)
  #port = 0
  readonly #server: PeerServer

  private constructor(pieceCount: number, hasAll: boolean, bucket: TokenBucket) {
    this.manifest = manifestOf(pieceCount)
    this.have = hasAll ? Bitfield.full(pieceCount) : new Bitfield(pieceCount)
    this.uploads = new UploadQueue(bucket)
    this.limits = new EntryLimits(this.sources)
    this.#tickets.onTrackers([tracker.publicKey])
    this.#tickets.open()
    const identity = makeIdentity()
    this.#server = new PeerServer({
      identity,
      protection: new Protection(identity.forTls, 'beyond'),
      tickets: this.#tickets,
      sources: this.sources,
      uploads: this.uploads,
      limits: this.limits,
      recipes: new RecipeOffice(new RecipePool(), this.kept),
      onFailure: (error) => {
        throw error
      },
    })
    this.offer = this.share(this.manifest, this.have)
  }

  static async start({
    pieceCount = 16,
    hasAll = true,
    bucket = new TokenBucket(),
  } = {}): Promise<OneSharer> {
    const sharer = new OneSharer(pieceCount, hasAll, bucket)
    await sharer.kept.save(sharer.manifest)
    sharer.#port = await sharer.#server.listen({ host: '127.0.0.1', port: 0 })
    onTestFinished(() => sharer.#server.close())
    return sharer
  }

  ticketOf(user: string, { publicKey: key }: Identity, of = group): string {
    const expiresMs = Date.now() + ticketLifetimeMs
    return signTicket(tracker, { user, group: of, key, position: 1, expiresMs })
  }

  /** This user is no longer a member, since after every ticket. */
  onRemoved(user: string): void {
    this.#tickets.onRemoved(group, user, 2)
    this.#server.expel(group, user)
  }

  /** A connection that has said nothing yet. */
  newcomer(identity: Identity): Promise<RawPeer> {
    return RawPeer.connect(this.#port, identity)
  }

  /** Shares another file. */
  share(manifest: Manifest, have = Bitfield.full(manifest.pieceCount)): Offer {
    const name = `${manifest.fileId}.bin`
    return this.sources.offer({ group, name, fileId: manifest.fileId }, this.#source(manifest, have))
  }

  /** A connection of this member, with its key proved. Rejects when the connection is lost before. */
  async member(user: string, identity = makeIdentity(), onHave?: (index: number) => void): Promise<RawPeer> {
    const peer = await RawPeer.connect(this.#port, identity, onHave)
    for (const step of [() => peer.hello(this.ticketOf(user, identity)), () => peer.prove()]) {
      const answer = await step()
      if (!answer.ok) throw new Error(answer.refusal.sentence)
    }
    return peer
  }

  /** The first piece for a member that is here for the first time: its length in bytes, or why it did not come. */
  async serves(user: string): Promise<number | string> {
    const identity = makeIdentity()
    const peer = await RawPeer.connect(this.#port, identity)
    return peer.fetch(this.ticketOf(user, identity), this.manifest.fileId)
  }

  /** A connection that says nothing but this. */
  async stranger(text = ''): Promise<Socket> {
    const socket = connect(this.#port, '127.0.0.1')
    socket.on('error', () => undefined)
    onTestFinished(() => void socket.destroy())
    await new Promise((resolve) => socket.once('connect', resolve))
    if (text !== '') socket.write(text)
    return socket
  }

  /** One more piece has come. */
  tellHave(index: number): void {
    this.have.set(index)
    this.offer.tellHave(index)
  }

  #source(manifest: Manifest, have: Bitfield): PieceSource {
    return {
      manifest,
      have,
      read: (index, buffer) => {
        this.reads++
        buffer.fill(index % 256, 0, pieceLength(manifest.sizeBytes, index))
        return Promise.resolve(accept(undefined))
      },
    }
  }
}
