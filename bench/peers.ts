// npm run bench:peers [-- <peers>]
// Measures the resident memory of a client with 200 peers, the most it accepts: while it shares a file with them at
// full speed and then slowly; and while it downloads from 50, the most it asks, and sends 4 MiB/s to the others. The
// 200 run in this process, over real sockets and the client's own code, without disks, each as a user of its own,
// because peers of one user share its turns. Bound: 150 MiB each.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { PeerLink } from '../src/client/downloading/peer-link.ts'
import { NetworkChanges } from '../src/client/network/network-changes.ts'
import { PeerServer } from '../src/client/sharing/peer-server.ts'
import type { PieceSource } from '../src/client/sharing/piece-source.ts'
import { SourceRegistry } from '../src/client/sharing/source-registry.ts'
import { TicketOffice } from '../src/client/sharing/ticket-office.ts'
import { EntryLimits } from '../src/client/sharing/entry-limits.ts'
import { UploadQueue } from '../src/client/sharing/upload-queue.ts'
import { TokenBucket } from '../src/common/token-bucket.ts'
import { ownBuffer } from '../src/client/workers/store-pool.ts'
import { Bitfield } from '../src/common/bitfield.ts'
import { Failure } from '../src/common/failure.ts'
import { peerConnectionLimits, peersPerFileMax, pieceBytes } from '../src/common/limits.ts'
import type { Manifest } from '../src/common/manifest.ts'
import { pieceLength, pieceOffset } from '../src/common/pieces.ts'
import type { Peer } from '../src/common/protocol/tracker-protocol.ts'
import { accept, refuse, type Answer } from '../src/common/refusal.ts'
import { makeIdentity, type Identity } from '../src/common/security/identity.ts'
import { group, inArena, makeFile, peakMiB, type Arena } from './arena.ts'
import { enroll, logIn, loopback, must } from './crowd.ts'
import { routesHere } from '../test/client/routes-here.ts'
import { Protection } from '../src/common/wire/protection.ts'

const boundMiB = 150
const sizeMiB = 128
const pieceCount = sizeMiB * 2
const name = 'data.bin'
const peers = Number(process.argv[2] ?? peerConnectionLimits.proven)

/** The rate of each of the 50 seeders: together they need about 20 s for the file. */
const uploadBytesPerSecond = 128 * 1024
const slowBytesPerSecond = 16 * 1024
const phaseMs = 15_000

function protectionOf(identity: Identity): Protection {
  return new Protection(identity.forTls, 'beyond')
}

function noRecipe(): Promise<Answer<never>> {
  return Promise.resolve(refuse('piece-missing', 'nobody asks for it'))
}

/** Starts a peer that the tracker knows as complete and that serves the file from memory. */
async function startSeeder(arena: Arena, content: Buffer, manifest: Manifest): Promise<void> {
  const identity = makeIdentity()
  const tickets = new TicketOffice(() => undefined)
  const sources = new SourceRegistry()
  const uploads = new UploadQueue(new TokenBucket(uploadBytesPerSecond))
  const server = new PeerServer({
    identity,
    protection: protectionOf(identity),
    tickets,
    sources,
    uploads,
    limits: new EntryLimits(sources),
    recipes: { prepare: noRecipe, load: noRecipe },
    onFailure: rethrow,
  })
  const port = await server.listen(loopback)
  const connection = await logIn(arena, 'crowd', identity, port)
  tickets.onTrackers([connection.greeting?.key ?? ''])
  tickets.open()
  const source: PieceSource = {
    manifest,
    have: Bitfield.full(manifest.pieceCount),
    read: (index, buffer) => {
      content.copy(buffer, 0, pieceOffset(index), pieceOffset(index) + pieceLength(content.length, index))
      return Promise.resolve(accept(undefined))
    },
  }
  const version = { group, name, fileId: manifest.fileId }
  sources.offer(version, source)
  must(await connection.request('announce', { files: [{ ...version, complete: true }] }))
}

function rethrow(error: unknown): never {
  throw error
}

/** What a peer needs to open the file. */
interface Access {
  readonly fileId: string
  readonly ticket: string
  readonly identity: Identity
}

async function openLink(peer: Peer, access: Access, bucket: TokenBucket): Promise<PeerLink> {
  return must(
    await PeerLink.open({
      ...access,
      routes: routesHere(protectionOf(access.identity)),
      peer,
      changes: new NetworkChanges(),
      bucket,
    }),
  )
}

async function fetchManifest(peer: Peer, access: Access): Promise<Manifest> {
  const link = await openLink(peer, access, new TokenBucket(undefined))
  const manifest = must(await link.fetchManifest())
  link.close('enough')
  return manifest
}

/** A peer that requests pieces endlessly, as a downloader does, and discards them. */
class Reader {
  /** Its download limit. */
  readonly bucket: TokenBucket
  readonly #link: PeerLink

  private constructor(link: PeerLink, bucket: TokenBucket) {
    this.#link = link
    this.bucket = bucket
  }

  static async start(peer: Peer, access: Access): Promise<Reader> {
    const bucket = new TokenBucket(undefined)
    const link = await openLink(peer, access, bucket)
    must(await link.openFile(pieceCount))
    return new Reader(link, bucket)
  }

  /** Keeps sixteen requests for random pieces in flight, to a peer that has all pieces. */
  askForNamed(): void {
    for (let n = 0; n < 16; n++) void this.#read(() => Math.floor(Math.random() * pieceCount))
  }

  /** Keeps two requests in flight for whichever pieces the peer chooses. */
  letChoose(): void {
    for (let n = 0; n < 2; n++) {
      void this.#read(() => {
        this.#link.letChoose(Bitfield.full(pieceCount))
        return undefined
      })
    }
  }

  stop(): void {
    this.#link.close('enough')
  }

  async #read(pick: () => number | undefined): Promise<void> {
    try {
      for (;;) must(await this.#link.piece({ index: pick() }, () => pieceBytes, ownBuffer)).release()
    } catch (error) {
      // The connection has ended.
      if (!(error instanceof Failure)) throw error
    }
  }
}

function report(what: string, mebibytes: number): void {
  const within = mebibytes <= boundMiB
  if (!within) process.exitCode = 1
  console.log(
    `${what.padEnd(64)} ${mebibytes.toFixed(0)} MiB peak (${within ? 'within' : 'OVER'} ${boundMiB})`,
  )
}

await inArena(async (arena) => {
  const path = await makeFile(arena, name, sizeMiB)
  const content = readFileSync(path)
  const sharer = await arena.startMember('sharer')
  const downloader = await arena.startMember('downloader', ['--upload-limit', '4M'])
  await arena.startMember('crowd')
  await sharer.say(`upload_file ${path} ${group}`)

  const identity = makeIdentity()
  const connection = await logIn(arena, 'crowd', identity, 1)
  const find = async () => must(await connection.request('find_file', { group, name }))
  const { fileId, ticket, peers: known } = await find()
  const access = { fileId, ticket, identity }
  const [first] = known
  if (first === undefined) throw new Error('the tracker does not know the sharing client')
  const readersOwn: Access[] = []
  for (let count = 0; count < peers; count++) {
    const own = makeIdentity()
    const reader = await enroll(arena, sharer, `reader-${count}`, own)
    const seen = must(await reader.request('find_file', { group, name }))
    readersOwn.push({ fileId, ticket: seen.ticket, identity: own })
  }
  const readFrom = (peer: Peer, count: number): Promise<Reader[]> =>
    Promise.all(readersOwn.slice(0, count).map((own) => Reader.start(peer, own)))

  const readers = await readFrom(first, peers)
  for (const reader of readers) reader.askForNamed()
  await setTimeout(phaseMs)
  report(`sharing with ${peers} peers that read at full speed`, peakMiB(sharer))
  for (const { bucket } of readers) bucket.setRate(slowBytesPerSecond)
  await setTimeout(phaseMs)
  report(`sharing with ${peers} peers that barely read`, peakMiB(sharer))
  for (const reader of readers) reader.stop()
  // The sharer is full, and accepts others only after it has noticed that these left.
  await setTimeout(1000)

  const manifest = await fetchManifest(first, access)
  await sharer.say('limit upload 128K')
  await Promise.all(Array.from({ length: peersPerFileMax }, () => startSeeder(arena, content, manifest)))
  const startedAtMs = performance.now()
  await downloader.say(`download_file ${group} ${name} ${join(arena.folder, 'copy')}`)
  // The tracker lists the downloader too, once it has a piece.
  let listed: Peer | undefined
  while (listed === undefined) {
    await setTimeout(100)
    listed = (await find()).peers.find(({ user }) => user === 'downloader')
  }
  for (const reader of await readFrom(listed, peers - peersPerFileMax)) reader.letChoose()
  await downloader.next((line) => line === `[C] [${group}] ${name}`)
  const tookS = (performance.now() - startedAtMs) / 1000
  report(
    `downloading from ${peersPerFileMax} peers and sending to ${peers - peersPerFileMax}, for ${tookS.toFixed(0)} s`,
    peakMiB(downloader),
  )
})
// The connections of the crowd are still open and would keep the process running.
process.exit()
