// Who gets bytes from a seeder: members with a ticket and its key, and nobody else, whatever they know.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadIdentity, makeIdentity } from '../../src/common/security/identity.ts'
import { signTicket } from '../../src/common/security/ticket.ts'
import { TestClient } from '../tracker/support/test-client.ts'
import type { Program } from './programs.ts'
import { RawPeer } from './raw-peer.ts'
import { MiB, pieceBytes, World } from './world.ts'

let world: World
let ann: Program
let ben: Program

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben] = (await world.users('ann', 'ben')) as [Program, Program]
  await world.group('g', ann, ben)
  await ann.does(`upload_file ${world.makeFile('secret.bin', MiB)} g`)
})
afterAll(() => world.close())

interface Member {
  readonly client: TestClient
  readonly ticket: string
  readonly fileId: string
  /** Where the seeder listens. */
  readonly port: number
}

/** A new member of the group that speaks for itself, and what the tracker gives such a one. */
async function newMember(user: string): Promise<Member> {
  const client = await TestClient.loggedIn({ host: '127.0.0.1', port: world.trackerPort }, user)
  await client.change('join_group', { group: 'g' })
  await ann.does(`accept_request g ${user}`)
  return { client, ...(await found(client, 'g', 'secret.bin')) }
}

async function found(client: TestClient, group: string, name: string): Promise<Omit<Member, 'client'>> {
  const answer = await client.request('find_file', { group, name })
  if (!answer.ok) throw new Error(answer.refusal.sentence)
  const { ticket, fileId, peers } = answer.value
  const port = peers.find(({ user }) => user === 'ann')?.port ?? 0
  return { ticket, fileId, port }
}

describe('a seeder', () => {
  test('serves a member with a ticket who proves its key', async () => {
    const { client, ticket, fileId, port } = await newMember('good')
    const peer = await RawPeer.connect(port, client.identity)
    expect(await peer.fetch(ticket, fileId)).toBe(pieceBytes)
  })

  test('tells a caller without a ticket nothing, and hangs up', async () => {
    const { fileId, port } = await newMember('guide')
    for (const ask of ['open', 'manifest', 'piece'] as const) {
      const peer = await RawPeer.connect(port)
      const answer = ask === 'piece' ? peer.piece(fileId, 0) : peer[ask](fileId)
      expect(await answer).toMatchObject({ ok: false, refusal: { code: 'hello-first' } })
      await peer.closed
      expect(peer.bodyBytes).toBe(0)
    }
    const peer = await RawPeer.connect(port)
    expect(await peer.hello('')).toMatchObject({ ok: false, refusal: { code: 'ticket-invalid' } })
    await peer.closed
  })

  test('refuses a ticket that no tracker of its community signed, or that was changed', async () => {
    const { client, ticket, fileId, port } = await newMember('forger')
    const claims = { user: 'forger', group: 'g', key: client.identity.publicKey, position: 1000 }
    const expiresMs = Date.now() + 60_000
    const [payload = '', signature = ''] = ticket.split('.')
    const changed = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const forOther = Buffer.from(JSON.stringify({ ...changed, group: 'h' })).toString('base64url')
    for (const forged of [
      signTicket(makeIdentity(), { ...claims, expiresMs }),
      signTicket(client.identity, { ...claims, expiresMs }),
      `${forOther}.${signature}`,
      `${payload}.${'A'.repeat(86)}`,
      `${payload}.`,
      `${payload}.${signature}.`,
      '__proto__.__proto__',
    ]) {
      const peer = await RawPeer.connect(port, client.identity)
      expect(await peer.fetch(forged, fileId)).toBe('ticket-invalid')
      await peer.closed
    }
  })

  test('refuses a ticket that has lapsed, and takes the same one while it has not', async () => {
    const { client, fileId, port } = await newMember('late')
    const tracker = loadIdentity(world.path('tracker-data', 'tracker-1'))
    const claims = { user: 'late', group: 'g', key: client.identity.publicKey, position: 1000 }
    const fetchUntil = async (expiresMs: number): Promise<string | number> => {
      const peer = await RawPeer.connect(port, client.identity)
      return peer.fetch(signTicket(tracker, { ...claims, expiresMs }), fileId)
    }
    // The seeder knows the tracker's clock only as well as the tracker answers fast: not to the millisecond.
    expect(await fetchUntil(Date.now() - 10_000)).toBe('ticket-lapsed')
    expect(await fetchUntil(Date.now() + 60_000)).toBe(pieceBytes)
  })

  test('lets nobody use the ticket of another, who does not have its key', async () => {
    const { ticket, fileId, port } = await newMember('owner-of-key')
    const thief = await RawPeer.connect(port, makeIdentity())
    expect(await thief.fetch(ticket, fileId)).toBe('proof-failed')
    for (const answer of [thief.open(fileId), thief.manifest(fileId), thief.piece(fileId, 0)]) {
      expect(await answer).toMatchObject({ ok: false, refusal: { code: 'login-first' } })
    }
    expect(thief.bodyBytes).toBe(0)
    // Nor by leaving the proof out.
    const hasty = await RawPeer.connect(port, makeIdentity())
    expect(await hasty.hello(ticket)).toMatchObject({ ok: true })
    expect(await hasty.piece(fileId, 0)).toMatchObject({ ok: false, refusal: { code: 'login-first' } })
  })

  test('answers for the files of another group as for files that do not exist', async () => {
    const { client, fileId, port } = await newMember('neighbour')
    await ann.does('create_group other')
    await client.change('join_group', { group: 'other' })
    await ann.does('accept_request other neighbour')
    await ann.does(`upload_file ${world.makeFile('open.bin', 10)} other`)
    const other = await found(client, 'other', 'open.bin')
    const peer = await RawPeer.connect(port, client.identity)
    expect(await peer.fetch(other.ticket, other.fileId)).toBe(10)
    const secret = await Promise.all([peer.open(fileId), peer.manifest(fileId), peer.piece(fileId, 0)])
    const missing = 'f'.repeat(64)
    const nothing = await Promise.all([peer.open(missing), peer.manifest(missing), peer.piece(missing, 0)])
    expect(secret).toEqual(nothing)
    expect(secret[0]).toMatchObject({ ok: false, refusal: { code: 'not-shared' } })
    expect(peer.bodyBytes).toBe(10)
  })

  test('cuts a removed member off at once, and takes the old ticket no more', async () => {
    const { client, ticket, fileId, port } = await newMember('removed')
    const peer = await RawPeer.connect(port, client.identity)
    expect(await peer.fetch(ticket, fileId)).toBe(pieceBytes)
    await ann.does('remove_member g removed')
    await peer.closed
    const again = await RawPeer.connect(port, client.identity)
    expect(await again.fetch(ticket, fileId)).toBe('ticket-invalid')
    expect(await client.request('find_file', { group: 'g', name: 'secret.bin' })).toMatchObject({ ok: false })
    // Let in again, a new ticket counts.
    await client.change('join_group', { group: 'g' })
    await ann.does('accept_request g removed')
    const fresh = await found(client, 'g', 'secret.bin')
    const back = await RawPeer.connect(port, client.identity)
    expect(await back.fetch(fresh.ticket, fileId)).toBe(pieceBytes)
  })

  test('stops a real download in the middle when its user is removed', async () => {
    const eva = await world.user('eva', { words: ['--download-limit', '256K'] })
    await eva.does('join_group g')
    await ann.does('accept_request g eva')
    await eva.does('download_file g secret.bin eva-secret.bin')
    await ann.does('remove_member g eva')
    await eva.until('you are no longer a member of g')
    await eva.until('[F] [g] secret.bin - you are no longer a member of g')
    expect(await eva.say('download_file g secret.bin eva-secret.bin')).toMatch(/^error: /)
    expect(await eva.quit()).toEqual({ code: 1, signal: null })
  })

  test('serves nobody after its user has logged out, and again after the next login', async () => {
    const { client, ticket, fileId, port } = await newMember('patient')
    const peer = await RawPeer.connect(port, client.identity)
    expect(await peer.fetch(ticket, fileId)).toBe(pieceBytes)
    await ann.does('logout')
    await peer.closed
    const refused = await RawPeer.connect(port, client.identity)
    expect(await refused.fetch(ticket, fileId)).toBe('unavailable')
    await ann.does('login ann secret')
    await ben.askUntil('list_files g', `secret.bin  ${MiB} bytes  1 seeder`)
    const again = await RawPeer.connect(port, client.identity)
    expect(await again.fetch(ticket, fileId)).toBe(pieceBytes)
  })

  test('serves nothing of a share that was withdrawn, also on a connection that is open', async () => {
    const { client, port } = await newMember('reader')
    await ann.does(`upload_file ${world.makeFile('brief.bin', 10)} g`)
    const { ticket, fileId } = await found(client, 'g', 'brief.bin')
    const peer = await RawPeer.connect(port, client.identity)
    expect(await peer.fetch(ticket, fileId)).toBe(10)
    await ann.does('stop_share g brief.bin')
    expect(await peer.piece(fileId, 0)).toMatchObject({ ok: false, refusal: { code: 'not-shared' } })
  })
})
