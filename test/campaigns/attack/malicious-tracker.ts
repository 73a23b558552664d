// A tracker that does harm to those who log in to it: it asks for passwords in a weak way, lies about files, does not
// end its answers, and sends clients elsewhere. It has the key that its users expect.

import { createServer, type AddressInfo, type Socket } from 'node:net'
import { existsSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { peakMiB } from '../../../bench/arena.ts'
import { hashPiece } from '../../../src/client/hashing/piece-hash.ts'
import { pageEntries, pieceBytes, pieceCountMax } from '../../../src/common/limits.ts'
import { buildManifest, type Manifest } from '../../../src/common/manifest.ts'
import { fingerprintOf } from '../../../src/common/security/identity.ts'
import { makeNonce } from '../../../src/common/security/challenge.ts'
import { serverFirstMessage } from '../../../src/common/security/scram.ts'
import type { Peer } from '../../../src/common/protocol/tracker-protocol.ts'
import { accept } from '../../../src/common/refusal.ts'
import { answeredElsewhere } from '../../../src/common/wire/responder.ts'
import { callerKey } from '../../../bench/hostile/bad-sharers.ts'
import { FakeSeeder } from '../../client/swarm/fake-seeder.ts'
import { FakeTracker, password, user } from '../../client/tracker-link/fake-tracker.ts'
import { remember } from '../../integration/accounts.ts'
import { clientOf, listOf } from '../../integration/listened-world.ts'
import type { Program } from '../../integration/programs.ts'
import { contentOf, World } from '../../integration/world.ts'
import type { Attack, Battle, Findings } from './battle.ts'

const [group, name] = ['g', 'file.bin']
const ticket = `${Buffer.from('{"user":"ann"}').toString('base64url')}.signature`
const betweenMs = 50
/** A client of ours that does nothing has 60 MiB; a listing has at most a million entries, of names as long as may be. */
const residentMiBMax = 150
const residentMiBMaxOfListing = 512
const answerWithinMs = 5000

interface Stage {
  readonly tracker: FakeTracker
  readonly world: World
  /** Logged in at the tracker. */
  readonly client: Program
  readonly findings: Findings
}

/** Prepares the tracker; what to do then, again and again. */
type Scheme = (stage: Stage) => Promise<() => Promise<void>>

/** Carries out a scheme against a client of ours, which has to stay as it was. */
async function carryOut({ findings, goesOn, begun }: Battle, scheme: Scheme): Promise<void> {
  const world = new World()
  const tracker = await new FakeTracker({ isSecure: true }).start()
  const { port } = tracker.address
  await remember(world.path('client'), tracker.community, user, password)
  const client = clientOf(world, 'client', listOf(world, port, fingerprintOf(tracker.identity.publicKey)))
  await client.does(`login ${user} "${password}"`)
  const round = await scheme({ tracker, world, client, findings })
  begun()
  while (goesOn()) {
    await round()
    findings.onTried()
    const askedMs = performance.now()
    await client.ask('whoami')
    const ms = performance.now() - askedMs
    if (ms > answerWithinMs) findings.onGot(`a client that answers its user after ${ms.toFixed(0)} ms`)
    await pause(betweenMs)
  }
  const mebibytes = peakMiB(client)
  findings.note('memory of the client', `${mebibytes.toFixed(0)} MiB`)
  const max = scheme === endlessListings ? residentMiBMaxOfListing : residentMiBMax
  if (mebibytes > max) findings.onGot(`${mebibytes.toFixed(0)} MiB of the client's memory`)
  if (client.ending !== undefined || client.stderr !== '') findings.onGot(`the client ends: ${client.stderr}`)
  // Nothing from a tracker may move the cursor of a terminal.
  // oxlint-disable-next-line no-control-regex
  if (client.lines.some((line) => /[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/.test(line)))
    findings.onGot('control characters on the screen')
  await world.close()
  await tracker.stop()
}

/** The first line of a reply. */
async function asked(client: Program, command: string, findings: Findings): Promise<string> {
  const [reply = ''] = await client.ask(command)
  findings.onAnswer(reply.startsWith('error') ? 'error' : 'no error')
  return reply
}

const weakly: Scheme = async ({ tracker, world, client, findings }) => {
  const finished = tracker.calls.filter(({ method }) => method === 'login_finish').length
  let [iterations, salt] = [0, '']
  tracker.instead.set('login_start', (params: { clientFirst: string }) => {
    const nonce = /r=(.*)$/.exec(params.clientFirst)?.[1] ?? ''
    const credentials = { salt, iterations, storedKey: '', serverKey: '' }
    return accept({ serverFirst: serverFirstMessage(nonce, makeNonce(), credentials) })
  })
  await client.does('logout')
  // One that has never been here asks for what every client registers with.
  const list = listOf(world, tracker.address.port, fingerprintOf(tracker.identity.publicKey))
  const stranger = clientOf(world, 'stranger', list)
  return async () => {
    for (const [count, text] of [
      [1, 7],
      [4096, 7],
      [99_999, 7],
      [100_001, 7],
      [100_000, 9],
      [2_000_001, 7],
      [1e308, 7],
      [-1, 7],
    ] as const) {
      ;[iterations, salt] = [count, Buffer.alloc(16, text).toString('base64')]
      for (const each of [client, stranger]) {
        const reply = await asked(each, `login ${user} "${password}"`, findings)
        if (!reply.startsWith('error')) findings.onGot(`a login with ${count} iterations: ${reply}`)
      }
    }
    const proofs = tracker.calls.filter(({ method }) => method === 'login_finish').length - finished
    if (proofs > 0) findings.onGot(`${proofs} proofs of a password that are easier to guess from`)
  }
}

function manifestOf(content: Buffer): Manifest {
  const hashes: Buffer[] = []
  for (let at = 0; at < content.length; at += pieceBytes)
    hashes.push(hashPiece(content.subarray(at, at + pieceBytes)))
  return buildManifest(content.length, Buffer.concat(hashes))
}

async function seederOf(content: Buffer, manifest: Manifest): Promise<Peer> {
  const seeder = await FakeSeeder.start('eve', content, manifest, { callerKey, isSecure: true })
  return seeder.peer
}

/** Answers `find_file` so. */
function finds(
  tracker: FakeTracker,
  found: () => { fileId: string; sizeBytes: number; peers: Peer[] },
): void {
  tracker.instead.set('find_file', () => accept({ ...found(), ticket, expiresMs: Date.now() + 600_000 }))
}

/** Begins a download that may not come to an end, and takes it back after a while. */
async function downloads({ client, world, findings }: Stage): Promise<void> {
  const since = client.mark()
  await asked(client, `download_file ${group} ${name} ${world.path('taken')}`, findings)
  await pause(300)
  const [state = ''] = await client.ask('show_downloads')
  if (state.startsWith('[C]') || client.lines.slice(since).some((line) => line.startsWith('[C]')))
    findings.onGot(`a file that is not the right one: ${state}`)
  if (existsSync(world.path('taken'))) findings.onGot('a file that is not the right one, under its name')
  const part = world.path('taken.part')
  const written = existsSync(part) ? statSync(part).blocks * 512 : 0
  if (written > 64 * 1024 * 1024) findings.onGot(`${written} bytes of the disk`)
  await client.ask(`cancel_download ${group} ${name}`)
}

const absurdSizes: Scheme = async (stage) => {
  const content = contentOf('small', 100_000)
  const manifest = manifestOf(content)
  const peer = await seederOf(content, manifest)
  const sizes = [
    pieceCountMax * pieceBytes,
    pieceCountMax * pieceBytes + 1,
    2 ** 53 - 1,
    1e308,
    -1,
    0.5,
    0,
    99_999,
  ]
  let sizeBytes = 0
  finds(stage.tracker, () => ({ fileId: manifest.fileId, sizeBytes, peers: [peer] }))
  return async () => {
    for (sizeBytes of sizes) await downloads(stage)
  }
}

const otherContent: Scheme = async (stage) => {
  const [right, wrong] = [contentOf('right', 2_000_000), contentOf('wrong', 2_000_000)]
  const [named, other] = [manifestOf(right), manifestOf(wrong)]
  const { fileId } = named
  // Another manifest under the id, and other pieces under the right manifest.
  const peers = [await seederOf(wrong, other), await seederOf(wrong, named)]
  let peer = 0
  finds(stage.tracker, () => ({ fileId, sizeBytes: right.length, peers: peers.slice(peer, peer + 1) }))
  return async () => {
    for (peer of [0, 1]) await downloads(stage)
  }
}

const longName = (count: number): string => `${String(count).padStart(8, '0')}${'x'.repeat(200)}`

const endlessListings: Scheme = async ({ tracker, client, findings }) => {
  let made = 0
  const page = <T>(entry: () => T): T[] => Array.from({ length: pageEntries }, entry)
  tracker.instead.set('list_files', () =>
    accept({ files: page(() => ({ name: longName(made++), sizeBytes: 1, seeders: 1 })), more: true }),
  )
  return async () => {
    // It may take as long as it likes to, and its user may not.
    const list = client.ask(`list_files ${group}`).then(() => findings.onAnswer('ended'))
    await Promise.race([list, pause(25_000)])
    findings.note('entries', String(made))
  }
}

const endlessLines: Scheme = async ({ tracker, client, findings }) => {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  let sent = 0
  tracker.instead.set('list_groups', (_params: object, socket: Socket) => {
    const more = (): void => {
      if (socket.destroyed) return
      sent += chunk.length
      if (socket.write(chunk)) setImmediate(more)
      else socket.once('drain', more)
    }
    more()
    return answeredElsewhere
  })
  return async () => {
    await asked(client, 'list_groups', findings)
    findings.note('sent', `${(sent / 2 ** 20).toFixed(0)} MiB`)
  }
}

const endlessNews: Scheme = async ({ tracker }) => {
  let made = 0
  const fileId = 'ab'.repeat(32)
  return async () => {
    for (let count = 0; count < 500; count++) {
      const at = made++
      tracker.tellAll('join_requested', { group: `g${at}`, user: `u${at}` })
      tracker.tellAll('member_left', { group: `g${at}`, user: `u${at}`, position: at })
      tracker.tellAll('owner_changed', { group: `g${at}`, owner: user })
      tracker.tellAll('request_decided', { group: `g${at}`, accepted: true })
      tracker.tellAll('file_gone', { group: `g${at}`, name, fileId })
      tracker.tellAll('swarm_changed', { group: `g${at}`, name, fileId, joined: peersAt(4000, 50), left: [] })
      tracker.tellAll('trackers_changed', { trackers: Array.from({ length: 64 }, () => key()) })
    }
  }
}

function key(): string {
  return Buffer.from(makeNonce() + makeNonce())
    .subarray(0, 32)
    .toString('base64url')
}

function peersAt(port: number, count: number): Peer[] {
  return Array.from({ length: count }, () => ({
    user: 'eve',
    host: '127.0.4.1',
    port,
    key: key(),
    complete: true,
  }))
}

const elsewhere: Scheme = async (stage) => {
  const { tracker, findings } = stage
  let [calls, bytes] = [0, 0]
  /** Somebody who has nothing to do with it. */
  const bystander = createServer((socket) => {
    calls++
    socket.on('error', () => socket.destroy())
    socket.on('data', (heard: Buffer) => {
      bytes += heard.length
      if (heard.includes(ticket) || heard.includes('{"') || heard.includes(group.repeat(3)))
        findings.onGot('words of a client, at the machine of somebody else')
    })
  })
  await new Promise<void>((resolve) => bystander.listen(0, '127.0.4.1', resolve))
  bystander.unref()
  const { port } = bystander.address() as AddressInfo
  const fileId = 'cd'.repeat(32)
  finds(tracker, () => ({ fileId, sizeBytes: 1_000_000, peers: peersAt(port, 50) }))
  return async () => {
    await downloads(stage)
    findings.note('calls of the bystander', `${calls}, with ${bytes} bytes`)
  }
}

const schemes: Readonly<Record<string, Scheme>> = {
  'asks for a password in a weak way': weakly,
  'gives absurd sizes of files': absurdSizes,
  'has other content under an id': otherContent,
  'has listings without an end': endlessListings,
  'has lines without an end': endlessLines,
  'sends news without an end': endlessNews,
  'names peers at the machine of somebody else': elsewhere,
}

export const trackerAttacks: readonly Attack[] = Object.entries(schemes).map(([what, scheme]) => ({
  name: `a tracker that ${what}`,
  attacker: 'whoever runs the tracker',
  unit: 'rounds',
  run: (battle: Battle) => carryOut(battle, scheme),
}))
