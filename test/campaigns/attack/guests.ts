// Whoever reaches the address for guests: with a link or none, slow, greedy, or speaking nonsense.

import { constants, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectSecurely, type ConnectionOptions, type TLSSocket } from 'node:tls'
import type { Attack, Battle, Scene } from './battle.ts'

/** None of them is that of the honest guest. Sixteen connections of each are admitted. */
const addresses = Array.from({ length: 64 }, (_, index) => `127.0.4.${index + 1}`)
const pauseMs = 5
const slowConnections = 1000
const patienceMs = 10_000
/** One that says nothing more of a request that is none. */
const silentMs = 2000

interface Told {
  readonly status: number
  readonly body: Buffer
}

interface Asked {
  readonly from?: string | undefined
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | string[]>>
}

/** Resolves to the answer, whole or as far as it came; undefined without one. */
function ask(url: string, { from, method = 'GET', headers = {} }: Asked = {}): Promise<Told | undefined> {
  return new Promise((resolve) => {
    const options = { method, headers, agent: false, rejectUnauthorized: false, localAddress: from }
    const sent = request(url, { ...options, timeout: patienceMs }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', () => undefined)
      response.on('close', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) }))
    })
    sent.on('timeout', () => sent.destroy())
    sent.on('error', () => resolve(undefined))
    sent.end()
  })
}

/** From these addresses at once, until it is over; once at least. */
async function fromAll(
  battle: Battle,
  hosts: readonly string[],
  attempt: (from: string, count: number) => Promise<void>,
): Promise<void> {
  battle.begun()
  await Promise.all(
    hosts.map(async (from, first) => {
      for (let count = first; count === first || battle.goesOn(); count++) {
        await attempt(from, count)
        await pause(pauseMs)
      }
    }),
  )
}

function originOf({ guests }: Scene): string {
  return new URL(guests.given).origin
}

async function guesses(battle: Battle): Promise<void> {
  const { scene, findings } = battle
  const secret = new URL(scene.guests.given).pathname.slice(1)
  const tries = [
    () => randomBytes(32).toString('base64url'),
    // As near to a link as it gets.
    () => `${secret.slice(0, -2)}${secret.at(-2) === 'A' ? 'B' : 'A'}${secret.at(-1)}`,
    () => secret.toLowerCase(),
    () => secret.slice(0, -1),
    () => `${secret}A`,
    () => `${randomBytes(32).toString('base64url')}/${scene.film.name}`,
    () => `${secret}/../${scene.diary.name}`,
    () => `${secret}/${scene.film.name}/..%2f${scene.diary.name}`,
    () => `${secret}/%2e%2e/%2e%2e/etc/passwd`,
  ]
  await fromAll(battle, addresses.slice(0, 20), async (from, count) => {
    const path = tries[count % tries.length]?.() ?? ''
    findings.onTried()
    const told = await ask(`${originOf(scene)}/${path}`, { from })
    findings.onAnswer(told === undefined ? 'closed' : String(told.status))
    if (told !== undefined && told.status !== 404) findings.onGot(`${told.status} at a link that is none`)
  })
}

/** A link that was taken back, and those who try it in every way. */
async function replays(battle: Battle): Promise<void> {
  const { scene, findings } = battle
  const film = readFileSync(scene.filmPath)
  const file = `${scene.guests.revoked}/${scene.film.name}`
  const tries: readonly (readonly [string, Asked])[] = [
    [scene.guests.revoked, {}],
    [file, {}],
    [file, { method: 'HEAD' }],
    [file, { headers: { range: 'bytes=0-99' } }],
    [file, { headers: { range: 'bytes=-1', 'if-range': '"x"' } }],
    [file, { headers: { 'if-none-match': '*' } }],
  ]
  await fromAll(battle, addresses.slice(0, 8), async (from, count) => {
    const [url, asked] = tries[count % tries.length] ?? [file, {}]
    findings.onTried()
    const told = await ask(url, { ...asked, from })
    findings.onAnswer(told === undefined ? 'closed' : String(told.status))
    if (told === undefined) return
    if (told.status !== 410) findings.onGot(`${told.status} by a link that was taken back`)
    if (told.body.length > 0 && film.includes(told.body.subarray(0, 16)))
      findings.onGot('bytes of the film by a link that was taken back')
  })
}

/** With a link, from one address, eight at a time: all that a range can say. */
async function greedyRanges(battle: Battle): Promise<void> {
  const { scene, findings } = battle
  const { sizeBytes, name } = scene.film
  const file = `${scene.guests.given}/${name}`
  const film = readFileSync(scene.filmPath)
  const every = Array.from({ length: 500 }, (_, at) => `${at * 2}-${at * 2}`).join()
  const ranges: readonly (readonly [range: string, from: number, to: number])[] = [
    ['bytes=0-', 0, sizeBytes],
    [`bytes=${every}`, 0, sizeBytes],
    ['bytes=0-,0-,0-,0-', 0, sizeBytes],
    ['bytes=-1', sizeBytes - 1, sizeBytes],
    ['bytes=1-0', 0, sizeBytes],
    ['bytes=0-99999999999999999999999999', 0, sizeBytes],
    [`bytes=${sizeBytes - 5}-${sizeBytes + 5}`, sizeBytes - 5, sizeBytes],
  ]
  const hosts = Array.from({ length: 8 }, () => addresses[0] ?? '')
  await fromAll(battle, hosts, async (from, count) => {
    const [range, first, end] = ranges[count % ranges.length] ?? ['', 0, 0]
    findings.onTried()
    const told = await ask(file, { from, headers: { range } })
    findings.onAnswer(told === undefined ? 'closed' : String(told.status))
    if (told === undefined || told.status >= 400) return
    if (!film.subarray(first, end).equals(told.body) && told.body.length > end - first)
      findings.onGot(`${told.body.length} bytes for ${range.slice(0, 40)}`)
  })
}

/** What a connection says after its handshake; whoever is answered 200 behind it was believed. */
function bombsFor({ guests }: Scene): readonly string[] {
  const first = `GET ${new URL(guests.given).pathname} HTTP/1.1\r\n`
  return [
    `${first}Host: h\r\nX: ${'x'.repeat(1024 * 1024)}\r\n\r\n`,
    `${first}Host: h\r\n${'x: y\r\n'.repeat(100_000)}\r\n`,
    `${first}Host: h\r\n${'x'.repeat(9000)}: y\r\n\r\n`,
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: h\r\n\r\n`,
    `${first}Host: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${first}Host: h\r\n\r\n`,
    `POST ${new URL(guests.given).pathname} HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n${'x'.repeat(100_000)}`,
    `${first}Host: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx`,
    `${'\r\n'.repeat(50_000)}GET / HTTP/1.1\r\n`,
    `GET http://[::1]:1/ HTTP/9.9\r\nHost: h\r\n\r\n`,
  ]
}

async function headerBombs(battle: Battle): Promise<void> {
  const { scene, findings } = battle
  const bombs = bombsFor(scene)
  await fromAll(battle, addresses.slice(0, 16), async (from, count) => {
    const told = await spoken(scene, from, bombs[count % bombs.length] ?? '')
    findings.onTried()
    findings.onAnswer(told.slice(9, 12) || 'closed')
    if (told.includes(' 200 OK')) findings.onGot('an answer to a request that is none')
  })
}

/** Resolves to what was answered, once the other end has closed, or has been silent for long. */
async function spoken(scene: Scene, from: string, text: string): Promise<string> {
  const socket = secured(scene, from)
  let told = ''
  socket.on('data', (part: Buffer) => (told += told.length < 4096 ? part.toString('latin1') : ''))
  socket.once('secureConnect', () => socket.write(text))
  socket.setTimeout(silentMs, () => socket.destroy())
  await closed(socket)
  return told
}

function secured({ guests }: Scene, from: string, options: ConnectionOptions = {}): TLSSocket {
  const address = { host: '127.0.0.1', port: Number(new URL(guests.given).port), localAddress: from }
  const socket = connectSecurely({ ...address, rejectUnauthorized: false, ...options })
  socket.on('error', () => socket.destroy())
  return socket
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

/** No TLS, the beginnings of some, old versions of it, and handshakes again and again in one connection. */
async function nonsense(battle: Battle): Promise<void> {
  const { scene, findings } = battle
  const port = Number(new URL(scene.guests.given).port)
  await fromAll(battle, addresses.slice(0, 16), async (from, count) => {
    findings.onTried()
    if (count % 3 === 0) {
      if (await renegotiates(scene, from)) findings.onGot('another handshake in the same connection')
    } else if (count % 3 === 1) {
      const old = secured(scene, from, {
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'ALL:@SECLEVEL=0',
      })
      old.once('secureConnect', () => {
        findings.onGot('a handshake of an old version')
        old.destroy()
      })
      await closed(old)
    } else {
      const socket = connect({ host: '127.0.0.1', port, localAddress: from })
      socket.on('error', () => socket.destroy()).on('data', () => undefined)
      socket.setTimeout(patienceMs, () => socket.destroy())
      // As a record of a handshake begins, or not.
      const head = count % 2 === 0 ? Buffer.from([22, 3, 1, 255, 255]) : Buffer.alloc(0)
      socket.write(Buffer.concat([head, randomBytes(64 * 1024)]))
      await closed(socket)
    }
    findings.onAnswer('closed')
  })
}

/** Whether the other end shakes hands once more when it is asked to. */
async function renegotiates(scene: Scene, from: string): Promise<boolean> {
  const socket = secured(scene, from, {
    maxVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
  })
  let isDone = false
  socket.on('data', () => undefined)
  socket.once('secureConnect', () => {
    socket.renegotiate({ rejectUnauthorized: false }, (error) => {
      isDone = error === null
      socket.destroy()
    })
  })
  socket.setTimeout(patienceMs, () => socket.destroy())
  await closed(socket)
  return isDone
}

/** A thousand that say a byte at a time, with and without a handshake; each that is closed comes again. */
async function slow(battle: Battle): Promise<void> {
  const { scene, findings, goesOn, over } = battle
  const port = Number(new URL(scene.guests.given).port)
  const open = new Set<Socket>()
  let mostOpen = 0
  const come = async (index: number): Promise<void> => {
    const from = addresses[index % addresses.length] ?? ''
    while (goesOn()) {
      const isSecure = index % 4 === 0
      const socket = isSecure
        ? secured(scene, from)
        : connect({ host: '127.0.0.1', port, localAddress: from })
      socket.on('error', () => socket.destroy()).on('data', () => undefined)
      open.add(socket)
      findings.onTried()
      mostOpen = Math.max(mostOpen, open.size)
      const drip = setInterval(() => socket.write('G'), 200)
      await closed(socket)
      clearInterval(drip)
      open.delete(socket)
      findings.onAnswer('closed')
      await pause(pauseMs)
    }
  }
  const all = Array.from({ length: slowConnections }, (_, index) => come(index))
  battle.begun()
  await over
  findings.note('at once', String(mostOpen))
  for (const socket of open) socket.destroy()
  await Promise.all(all)
}

const ofGuests: readonly Omit<Attack, 'attacker'>[] = [
  { name: 'guesses at links', unit: 'guesses', run: guesses },
  { name: 'a link that was taken back, once more', unit: 'requests', run: replays },
  // Who has a link may fetch by it, and guests share what they get.
  {
    name: 'a guest who asks for all ranges at once',
    unit: 'requests',
    run: greedyRanges,
    takesFromGuests: true,
  },
  { name: 'requests of guests without end, or to be read in two ways', unit: 'requests', run: headerBombs },
  { name: 'nonsense and old handshakes in place of a guest', unit: 'connections', run: nonsense },
  { name: 'a thousand guests who say a byte at a time', unit: 'connections', run: slow },
]

export const guestAttacks: readonly Attack[] = ofGuests.map((each) => ({ ...each, attacker: 'a guest' }))
