// Somebody on the line between a client and the tracker, or between two clients: with another certificate, with a
// session of his own, without encryption, and as a relay that ends TLS with his own key at both sides.

import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectSecurely, createServer, type TLSSocket, type TlsOptions } from 'node:tls'
import { fingerprintOf, makeIdentity } from '../../../src/common/security/identity.ts'
import { callingContext } from '../../../src/common/wire/tls.ts'
import { ofAnotherKind, vouchedFor } from '../../common/other-certificates.ts'
import { asksPlain, makesPlain, relaysWith } from '../../integration/in-between.ts'
import { clientOf, listOf } from '../../integration/listened-world.ts'
import { RawPeer } from '../../integration/raw-peer.ts'
import { Line, type Instead } from '../../integration/recording-proxy.ts'
import { World } from '../../integration/world.ts'
import { honestPassword, type Attack, type Battle } from './battle.ts'
import { codeOf, loggedIn, must, ticketFor } from './callers.ts'

/** Another one in each attack: failed logins count. */
const victim = `vera-${process.pid}`
const betweenMs = 50
/** What its user types, when it proves the password, and when it does not. */
const proving = [
  `login ${victim} "${honestPassword}"`,
  `change_password ${victim} "${honestPassword}" "another long password"`,
]
const allCommands = [...proving, `create_user ${victim}-2 "${honestPassword}"`]

/** An account with which a client of ours can log in. */
async function makeVictim(world: World, { scene }: Battle): Promise<void> {
  const list = listOf(world, scene.tracker.port, scene.tracker.fingerprint)
  const client = clientOf(world, 'beforehand', list)
  await client.does(`create_user ${victim} "${honestPassword}"`, `login ${victim} "${honestPassword}"`)
  await client.quit()
}

/** A client comes to him in place of the tracker, again and again; `pin`: the key that its user takes for right. */
async function meet(
  battle: Battle,
  instead: Instead,
  { pin = battle.scene.tracker.fingerprint, commands = allCommands } = {},
): Promise<void> {
  const { findings, goesOn, begun } = battle
  const world = new World()
  let calls = 0
  const line = await Line.open({
    instead: (caller, note) => {
      calls++
      instead(caller, note)
    },
  })
  try {
    await makeVictim(world, battle)
    const list = listOf(world, line.port, pin)
    begun()
    while (goesOn()) {
      const client = clientOf(world, 'client', list)
      for (const command of goesOn() ? commands : []) {
        const [reply = ''] = await client.ask(command)
        findings.onTried()
        findings.onAnswer(reply.startsWith('error') ? 'error' : 'no error')
        if (!reply.startsWith('error')) findings.onGot(`a client that does as ever: ${reply}`)
      }
      await client.quit()
      await pause(betweenMs)
    }
    const { said } = line.taken
    if (said.includes('{"') || said.includes(victim)) findings.onGot('words of the client, in the clear')
    findings.note('the client called him', `${calls} times`)
  } finally {
    line.close()
    await world.close()
  }
}

/** Shows this certificate, and reads whatever he is told. */
function showing(read: Buffer[], options: TlsOptions, onCall?: (near: TLSSocket) => void): Instead {
  const server = createServer({ minVersion: 'TLSv1.3', ...options }, (near) => {
    onCall?.(near)
    near.on('error', () => near.destroy())
    near.on('data', (bytes: Buffer) => read.push(bytes))
  })
  server.on('tlsClientError', () => undefined)
  return (caller) => void server.emit('connection', caller)
}

async function otherCertificates(battle: Battle): Promise<void> {
  const read: Buffer[] = []
  const kinds = [makeIdentity().forTls, ofAnotherKind(), vouchedFor().tlsOptions].map((options) =>
    showing(read, options),
  )
  let next = 0
  await meet(battle, (caller, note) => kinds[next++ % kinds.length]?.(caller, note))
  const heard = Buffer.concat(read).length
  if (heard > 0) battle.findings.onGot(`${heard} bytes of a client, which he can read`)
}

/** Whether the beginning of a handshake offers a session of before (RFC 8446, 4.2.11). */
function offersSession(hello: Buffer): boolean {
  let at = 5 + 4 + 2 + 32
  at += 1 + hello.readUInt8(at)
  at += 2 + hello.readUInt16BE(at)
  at += 1 + hello.readUInt8(at)
  const end = at + 2 + hello.readUInt16BE(at)
  for (at += 2; at < end; at += 4 + hello.readUInt16BE(at + 2)) if (hello.readUInt16BE(at) === 41) return true
  return false
}

async function sessions(battle: Battle): Promise<void> {
  const { scene, findings } = battle
  const read: Buffer[] = []
  // By default Node hands out sessions.
  const shows = showing(read, makeIdentity().forTls, (near) => {
    if (near.isSessionReused()) findings.onGot('a client that resumes a session with him')
  })
  for (const [what, port] of [
    ['the tracker', scene.tracker.port],
    ['the client', scene.seederPort],
  ] as const) {
    const session = await sessionOf(port)
    if (session !== undefined && (await resumes(port, session))) findings.onGot(`a session with ${what}`)
  }
  await meet(battle, (caller, note) => {
    caller.prependOnceListener('data', (bytes: Buffer) => {
      if (offersSession(bytes)) findings.onGot('a client that offers a session of before')
    })
    shows(caller, note)
  })
  if (read.length > 0) findings.onGot('bytes of a client, which he can read')
}

/** Of a connection that says something wrong and is answered: what the other end gives to resume it with, if anything. */
function sessionOf(port: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const socket = call(port)
    let session: Buffer | undefined
    socket.on('session', (given: Buffer) => (session = given))
    socket.once('error', reject)
    // It comes before any answer.
    socket.once('data', () => socket.destroy())
    socket.once('close', () => resolve(session))
    socket.once('secureConnect', () => socket.write('{"jsonrpc":"2.0","id":0,"method":"ping","params":{}}\n'))
  })
}

function resumes(port: number, session: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = call(port, session)
    socket.once('secureConnect', () => {
      resolve(socket.isSessionReused())
      socket.destroy()
    })
    socket.on('error', () => resolve(false))
  })
}

function call(port: number, session?: Buffer): TLSSocket {
  const secureContext = callingContext()
  return connectSecurely({ host: '127.0.0.1', port, secureContext, rejectUnauthorized: false, session })
}

/** The victim takes his key for that of the tracker: what it proves to him is still worth nothing there. */
async function relay(battle: Battle): Promise<void> {
  const { scene, findings } = battle
  const own = makeIdentity()
  const handle = (line: string): string => {
    if (line.includes('"serverFinal"') || line.includes('"verifier"')) findings.onGot('a login in its name')
    const code = /"error":\{"code":(-?\d+)/.exec(line)?.[1]
    if (code !== undefined) findings.onAnswer(`refused by the tracker as ${code}`)
    // Else the client notices that the key in the answer is not that of the connection.
    return line.replace(/"key":"[\w-]{43}"/, `"key":"${own.publicKey}"`)
  }
  const relayed = relaysWith(own, scene.tracker.port, handle)
  // An account would be made: it does not know that he is not the tracker.
  await meet(battle, relayed, { pin: fingerprintOf(own.publicKey), commands: proving })
}

/** Likewise between two clients: with a caller that looks at no key. */
async function relayToClient({ scene, findings, goesOn, begun }: Battle): Promise<void> {
  const own = makeIdentity()
  const mallory = await loggedIn(scene, 'mallory')
  const ticket = await ticketFor(mallory, scene.film)
  const line = await Line.open({ instead: relaysWith(own, scene.seederPort, (text) => text) })
  begun()
  while (goesOn()) {
    const { identity } = mallory
    const peer = await RawPeer.open({ host: '127.0.0.1', port: line.port }, { identity, isSecure: true })
    must(await peer.hello(ticket))
    findings.onTried()
    const code = await codeOf(peer.prove())
    findings.onAnswer(code)
    await codeOf(peer.piece(scene.film.fileId, 0))
    if (code === 'ok' || peer.bodyBytes > 0) findings.onGot('a piece, by the proof of another')
    peer.caller.close()
    await pause(betweenMs)
  }
  line.close()
}

const attacker = 'somebody in between'
const unit = 'commands'

export const inBetween: readonly Attack[] = [
  { name: 'another certificate in place of the one of the tracker', attacker, unit, run: otherCertificates },
  { name: 'a TLS session offered to be resumed', attacker, unit, run: sessions },
  {
    name: 'the first byte of a connection made plain',
    attacker,
    unit,
    run: (battle) => meet(battle, makesPlain(battle.scene.tracker.port)),
  },
  {
    name: 'a plain answer in place of an encrypted one',
    attacker,
    unit,
    run: (battle) => meet(battle, asksPlain(battle.scene.tracker.port)),
  },
  { name: 'a relay with its own key, which the victim trusts', attacker, unit, run: relay },
  { name: 'a relay with its own key between two clients', attacker, unit: 'proofs', run: relayToClient },
]
