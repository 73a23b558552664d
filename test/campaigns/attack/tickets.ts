// Tickets in the wrong hands: without their key, on another connection, for a file of another group, and of somebody
// who is no member any more.

import { setTimeout as pause } from 'node:timers/promises'
import { pieceBytes } from '../../../src/common/limits.ts'
import { signTicket } from '../../../src/common/security/ticket.ts'
import type { RawPeer } from '../../integration/raw-peer.ts'
import type { Attack, Battle, Findings, SharedFile } from './battle.ts'
import { codeOf, identityOf, loggedIn, must, ticketFor, toSeeder } from './callers.ts'

/** So long may a former member get anything. */
const removedWithinMs = 1000
/** Each attempt is enough by itself; more of them are there to be noticed. */
const betweenMs = 20
/** How many pieces somebody has before he is removed, and asks for at once. */
const [piecesBefore, piecesAtOnce] = [4, 4]

/** Says what a try came to: bytes, which it must not get, or a refusal. */
async function judge(
  what: string,
  peer: RawPeer,
  answer: Promise<string>,
  findings: Findings,
): Promise<void> {
  findings.onTried()
  const code = await answer
  findings.onAnswer(code)
  if (code === 'ok' || peer.bodyBytes > 0) findings.onGot(`${what}: ${code}, ${peer.bodyBytes} bytes`)
  peer.caller.close()
}

/** As far as an honest peer gets with a piece of this file. */
async function fetched(peer: RawPeer, ticket: string, { fileId }: SharedFile): Promise<string> {
  const end = await peer.fetch(ticket, fileId).catch(() => 'closed')
  return typeof end === 'string' ? end : 'ok'
}

async function withoutKey({ scene, findings, goesOn, begun }: Battle): Promise<void> {
  const mallory = await loggedIn(scene, 'mallory')
  const ticket = await ticketFor(mallory, scene.film)
  begun()
  while (goesOn()) {
    const thief = await toSeeder(scene)
    await judge('a ticket without its key', thief, fetched(thief, ticket, scene.film), findings)
    // Nor by leaving the proof out.
    const hasty = await toSeeder(scene)
    await hasty.hello(ticket)
    await judge('a ticket without a proof', hasty, codeOf(hasty.piece(scene.film.fileId, 0)), findings)
    await pause(betweenMs)
  }
}

async function onAnotherConnection({ scene, findings, goesOn, begun }: Battle): Promise<void> {
  const mallory = await loggedIn(scene, 'mallory')
  const ticket = await ticketFor(mallory, scene.film)
  begun()
  while (goesOn()) {
    // The proof of the right key, made for a connection to somebody else.
    const [one, other] = [await toSeeder(scene, mallory.identity), await toSeeder(scene, mallory.identity)]
    await one.hello(ticket)
    await judge('a proof for another connection', one, codeOf(one.prove(other.binding)), findings)
    await other.hello(ticket)
    await judge('a proof without a binding', other, codeOf(other.prove(null)), findings)
    const plain = await toSeeder(scene, mallory.identity, false)
    await judge('a ticket without TLS', plain, fetched(plain, ticket, scene.film), findings)
    await pause(betweenMs)
  }
}

async function forAnotherGroup({ scene, findings, goesOn, begun }: Battle): Promise<void> {
  const mallory = await loggedIn(scene, 'mallory')
  const ticket = await ticketFor(mallory, scene.film)
  const { group, fileId } = scene.diary
  const { publicKey } = mallory.identity
  const [payload = '', signature = ''] = ticket.split('.')
  const fields = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  const changed = Buffer.from(JSON.stringify({ ...fields, group })).toString('base64url')
  const claims = { user: 'mallory', group, key: publicKey, position: 1_000_000 }
  const own = signTicket(mallory.identity, { ...claims, expiresMs: Date.now() + 60_000 })
  begun()
  while (goesOn()) {
    for (const [what, shown] of [
      ['the ticket of one group for a file of another', ticket],
      ['a ticket with another group written into it', `${changed}.${signature}`],
      ['a ticket that he signed himself', own],
    ] as const) {
      const peer = await toSeeder(scene, mallory.identity)
      await judge(what, peer, fetched(peer, shown, scene.diary), findings)
    }
    const peer = await toSeeder(scene, mallory.identity)
    must(await peer.hello(ticket))
    must(await peer.prove())
    await judge('the manifest of another group', peer, codeOf(peer.manifest(fileId)), findings)
    const asked = codeOf(mallory.request('find_file', { group, name: scene.diary.name }))
    findings.onTried()
    if ((await asked) === 'ok') findings.onGot('a ticket of a group that he is not in')
    await pause(betweenMs)
  }
}

/** Goes on to ask for pieces until the connection ends; tells when each one came. */
async function download(
  peer: RawPeer,
  { fileId, sizeBytes }: SharedFile,
  onPiece: () => void,
): Promise<void> {
  let next = 0
  const pieces = Math.ceil(sizeBytes / pieceBytes)
  const one = async (): Promise<void> => {
    while (!peer.caller.channel.isClosed) {
      const code = await codeOf(peer.piece(fileId, next++ % pieces))
      if (code === 'ok') onPiece()
      else if (code !== 'busy') return
    }
  }
  await Promise.all(Array.from({ length: piecesAtOnce }, one))
}

async function removed({ scene, findings, goesOn, begun }: Battle): Promise<void> {
  const olga = await loggedIn(scene, 'olga')
  const mallory = await loggedIn(scene, 'mallory')
  const { loose } = scene
  const { group } = loose
  const identity = identityOf(scene, 'mallory')
  let longestMs = 0
  begun()
  while (goesOn()) {
    must(await mallory.change('join_group', { group }))
    must(await olga.change('accept_request', { group, user: 'mallory' }))
    const ticket = await ticketFor(mallory, loose)
    const [peer, idle] = [await toSeeder(scene, identity), await toSeeder(scene, identity)]
    for (const each of [peer, idle]) {
      must(await each.hello(ticket))
      must(await each.prove())
      must(await each.open(loose.fileId))
    }
    let [pieces, lastMs] = [0, 0]
    const isUnderWay = new Promise<void>((resolve) => {
      void download(peer, loose, () => {
        lastMs = performance.now()
        if (++pieces === piecesBefore) resolve()
      })
    })
    await isUnderWay
    must(await olga.change('remove_member', { group, user: 'mallory' }))
    const [answeredMs, bytesThen] = [performance.now(), peer.bodyBytes]
    findings.onTried()
    // A client that does not cut him off would never end this.
    const cut = await Promise.race([peer.closed.then(() => true), pause(5 * removedWithinMs, false)])
    const stoppedMs = performance.now() - answeredMs
    longestMs = Math.max(longestMs, stoppedMs)
    findings.note('cut off at most', `${longestMs.toFixed(0)} ms after the answer`)
    findings.note('bytes after the answer, last time', String(peer.bodyBytes - bytesThen))
    if (!cut || stoppedMs > removedWithinMs || lastMs - answeredMs > removedWithinMs)
      findings.onGot(`he was served ${stoppedMs.toFixed(0)} ms after he was removed`)
    await judge('a connection from before', idle, codeOf(idle.renew(ticket)), findings)
    for (let count = 0; count < 3; count++) {
      const again = await toSeeder(scene, identity)
      await judge('the ticket of a former member', again, fetched(again, ticket, loose), findings)
    }
    const asked = await codeOf(mallory.request('find_file', { group, name: loose.name }))
    if (asked === 'ok') findings.onGot('a new ticket of a group that he is not in any more')
    peer.caller.close()
  }
}

export const ticketAttacks: readonly Attack[] = [
  {
    name: 'a stolen ticket, without its key',
    attacker: 'a user who is no member',
    unit: 'tries',
    run: withoutKey,
  },
  {
    name: 'a ticket on another connection',
    attacker: 'somebody in between',
    unit: 'tries',
    run: onAnotherConnection,
  },
  { name: 'a ticket for a file of another group', attacker: 'a member', unit: 'tries', run: forAnotherGroup },
  {
    name: 'a member who is removed in the middle of a download',
    attacker: 'a former member',
    unit: 'tries',
    run: removed,
  },
]
