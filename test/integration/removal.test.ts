// How soon a removed member gets nothing more, from the real programs.

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { loadIdentity } from '../../src/common/security/identity.ts'
import { TestClient } from '../tracker/support/test-client.ts'
import { clientOf, listOf, startTracker } from './listened-world.ts'
import type { Program } from './programs.ts'
import { RawPeer } from './raw-peer.ts'
import { MiB, World } from './world.ts'

const removedWithinMs = 1000
const piecesBefore = 4
const password = 'correct horse battery staple'

let world: World
beforeEach(() => {
  world = new World()
})
afterEach(() => world.close())

/** The client of a new user, who is logged in. */
async function user(name: string, list: string, words: string[] = []): Promise<Program> {
  const client = clientOf(world, name, list, ['--tls', ...words])
  await client.does(`create_user ${name} "${password}"`, `login ${name} "${password}"`)
  return client
}

// An honest client would stop by itself: this one goes on to ask for as long as it is answered.
test('a member who is removed in the middle of a download has no byte more a second after the answer', async () => {
  const { port, fingerprint } = await startTracker(world)
  const list = listOf(world, port, fingerprint)
  const [ann, ben] = [await user('ann', list), await user('ben', list, ['--upload-limit', '8M'])]
  await ann.does('create_group g')
  await ben.does('join_group g')
  const since = ben.mark()
  await ann.does('accept_request g ben')
  await ben.until('you are now a member of g', since)
  await ben.does(`upload_file ${world.makeFile('film.bin', 64 * MiB)} g`)

  const identity = loadIdentity(world.path('eve'))
  const eve = await TestClient.connect({ host: '127.0.0.1', port }, identity, true)
  await eve.hello()
  await eve.register('eve', 'secret')
  expect(await eve.login('eve', 'secret')).toMatchObject({ ok: true })
  await eve.change('join_group', { group: 'g' })
  await ann.does('accept_request g eve')
  const found = await eve.request('find_file', { group: 'g', name: 'film.bin' })
  if (!found.ok) throw new Error(found.refusal.sentence)
  const { ticket, fileId, peers } = found.value
  const seeder = peers[0]?.port ?? 0

  const [peer, idle] = [
    await RawPeer.connect(seeder, identity, undefined, true),
    await RawPeer.connect(seeder, identity, undefined, true),
  ]
  for (const each of [peer, idle]) {
    expect(await each.hello(ticket)).toMatchObject({ ok: true })
    expect(await each.prove()).toMatchObject({ ok: true })
  }
  let [pieces, lastMs] = [0, 0]
  const goesOn = async (): Promise<void> => {
    while (!peer.caller.channel.isClosed) {
      const answer = await peer.piece(fileId, pieces).catch(() => undefined)
      if (answer?.ok !== true) return
      pieces++
      lastMs = performance.now()
    }
  }
  const downloads = Promise.all([goesOn(), goesOn()])
  await vi.waitUntil(() => pieces >= piecesBefore, { timeout: 15_000, interval: 5 })
  const [reply] = await ann.does('remove_member g eve')
  const answeredMs = performance.now()
  expect(reply).toContain('eve')
  const isCut = (): boolean => [peer, idle].every(({ caller }) => caller.channel.isClosed)
  await vi.waitUntil(isCut, { timeout: 5 * removedWithinMs, interval: 5 })
  await downloads
  const closedMs = performance.now()
  expect(pieces).toBeLessThan(128)
  expect(lastMs - answeredMs).toBeLessThan(removedWithinMs)
  expect(closedMs - answeredMs).toBeLessThan(removedWithinMs)
  // Nor does she come back with what she has.
  const again = await RawPeer.connect(seeder, identity, undefined, true)
  expect(await again.fetch(ticket, fileId)).toBe('ticket-invalid')
  expect(again.bodyBytes).toBe(0)
})
