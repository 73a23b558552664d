// Measures what hostile sharers cost a download from one honest sharer. Each kind withholds or lies in one way, and
// each hostile peer has its own user. Bounds: twice the time and 1.2 times the bytes of the undisturbed run, and each
// hostile peer is named to the user.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashPiece } from '../../src/client/hashing/piece-hash.ts'
import type { TrackerConnection } from '../../src/client/tracker-link/tracker-connection.ts'
import { pieceBytes } from '../../src/common/limits.ts'
import { buildManifest, type Manifest } from '../../src/common/manifest.ts'
import type { Program } from '../../src/demo/program.ts'
import { FakeSeeder, type Behaviour } from '../../test/client/swarm/fake-seeder.ts'
import { group, makeFile, percentile, writtenBytes, type Arena } from '../arena.ts'
import { logIn, must } from '../crowd.ts'

const sizeMiB = 256
const name = 'data.bin'
/** The upload limit of the honest peer: slow enough for the download to take ten seconds. */
const honestLimit = '25M'
const undisturbedRuns = 3
const boundTime = 2
const boundBytes = 1.2

/** Sends a piece that is longer by `difference` bytes. */
const ofLength =
  (difference: number): Behaviour['piece'] =>
  ({ right, send }) =>
    send(Buffer.alloc(right.length + difference))

/** By the name of a kind: how it behaves. */
export const sharerBehaviours: Readonly<Record<string, Behaviour>> = {
  hold: { piece: ({ before, right, send }) => before < 4 && send(right) },
  drip: {
    piece: ({ right, sendPart, sendMore }) => {
      sendPart(right.length, right.subarray(0, 100))
      let at = 100
      const timer = setInterval(() => {
        sendMore(right.subarray(at, (at += 100)))
        if (at >= 50_000) clearInterval(timer)
      }, 200)
      timer.unref()
    },
  },
  refuse: { piece: ({ refuse }) => refuse('busy', 'come back later') },
  short: { piece: ofLength(-1) },
  'too much': { piece: ofLength(1) },
  poison: {
    piece: ({ right, send }) => {
      const wrong = Buffer.from(right)
      wrong.writeUInt8(wrong.readUInt8(100) ^ 1, 100)
      send(wrong)
    },
  },
  'false bitfield': { piece: ({ refuse }) => refuse('piece-missing', 'this piece is not here') },
  'promise and not send': { piece: ({ promise }) => promise() },
  'impossible bitfield': { bitfield: Buffer.alloc(3, 0xff).toString('base64') },
  silent: { silent: true },
}
/** These look like a peer that is gone or unreachable, and are not named. */
const unnamed = new Set(['silent'])

export const sharerKinds = Object.keys(sharerBehaviours)

/** The key that a ticket names. */
export function callerKey(ticket: string): string {
  const [payload = ''] = ticket.split('.')
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { key: string }).key
}

interface Run {
  readonly ms: number
  readonly bytes: number
  /** The users who were named. */
  readonly named: ReadonlySet<string>
}

class Stage {
  readonly #arena: Arena
  readonly #honest: Program
  readonly #client: Program
  readonly #content: Buffer
  readonly #manifest: Manifest
  #runs = 0

  constructor(arena: Arena, honest: Program, client: Program, content: Buffer) {
    this.#arena = arena
    this.#honest = honest
    this.#client = client
    this.#content = content
    const hashes: Buffer[] = []
    for (let at = 0; at < content.length; at += pieceBytes)
      hashes.push(hashPiece(content.subarray(at, at + pieceBytes)))
    this.#manifest = buildManifest(content.length, Buffer.concat(hashes))
  }

  /** Downloads next to `count` peers of this kind. */
  async run(behaviour: Behaviour, count: number): Promise<Run> {
    const users = Array.from({ length: count }, (_, index) => hostileUser(index))
    const hostile = await Promise.all(users.map((user) => this.#start(user, behaviour)))
    const before = writtenBytes(this.#honest)
    const copy = join(this.#arena.folder, `copy-${this.#runs++}`)
    const named = new Set<string>()
    const startedAtMs = performance.now()
    await this.#client.say(`download_file ${group} ${name} ${copy}`)
    await this.#client.next((line) => {
      const [, user] = /^(\S+)@\S+ (sent a bad|broke|holds|refuses)/.exec(line) ?? []
      if (user !== undefined) named.add(user)
      return line === `[C] [${group}] ${name}`
    })
    const ms = performance.now() - startedAtMs
    let bytes = writtenBytes(this.#honest) - before
    for (const { seeder, connection } of hostile) {
      bytes += seeder.sentBytes
      seeder.stop()
      connection.stop()
    }
    if (!readFileSync(copy).equals(this.#content)) throw new Error('the copy is not the original')
    await this.#client.say(`stop_share ${group} ${name}`)
    return { ms, bytes, named }
  }

  async #start(
    user: string,
    behaviour: Behaviour,
  ): Promise<{ seeder: FakeSeeder; connection: TrackerConnection }> {
    const seeder = await FakeSeeder.start(user, this.#content, this.#manifest, { ...behaviour, callerKey })
    const connection = await logIn(this.#arena, user, seeder.identity, seeder.peer.port)
    const { fileId } = this.#manifest
    must(await connection.request('announce', { files: [{ group, name, fileId, complete: true }] }))
    return { seeder, connection }
  }
}

function hostileUser(index: number): string {
  return `hostile-${index}`
}

/** Prints a line for each kind and number of peers; sets the exit code to 1 when a bound is missed. */
export async function measureBadSharers(
  arena: Arena,
  chosen: readonly string[],
  counts: readonly number[],
): Promise<void> {
  const path = await makeFile(arena, name, sizeMiB)
  const honest = await arena.startMember('honest', ['--upload-limit', honestLimit])
  const client = await arena.startMember('client')
  for (let index = 0; index < Math.max(...counts); index++)
    await (await arena.startMember(hostileUser(index))).quit()
  await honest.say(`upload_file ${path} ${group}`)
  const stage = new Stage(arena, honest, client, readFileSync(path))
  const times: number[] = []
  let aloneBytes = 0
  for (let run = 0; run < undisturbedRuns; run++) {
    const { ms, bytes } = await stage.run({}, 0)
    times.push(ms)
    aloneBytes = bytes
  }
  const aloneMs = percentile(
    times.toSorted((a, b) => a - b),
    0.5,
  )
  console.log(
    `undisturbed: ${(aloneMs / 1000).toFixed(2)} s, ${(aloneBytes / 2 ** 20).toFixed(0)} MiB for ${sizeMiB} MiB`,
  )
  for (const kind of chosen) {
    const behaviour = sharerBehaviours[kind]
    if (behaviour === undefined) continue
    for (const count of counts) {
      const { ms, bytes, named } = await stage.run(behaviour, count)
      const [time, sent] = [ms / aloneMs, bytes / aloneBytes]
      const isNamed = unnamed.has(kind) || named.size === count
      const isWithin = time <= boundTime && sent <= boundBytes && isNamed
      if (!isWithin) process.exitCode = 1
      console.log(
        `${kind.padEnd(22)} ${String(count).padStart(2)} peers: ${time.toFixed(2)} x time, ${sent.toFixed(3)} x bytes, ` +
          `${named.size} named (${isWithin ? 'within' : 'MISSED'})`,
      )
    }
  }
}
