// A client that forwards for members of its groups. The tracker looks for clients on this machine, too.

import { connect, type Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { makeNonce } from '../../../src/common/security/challenge.ts'
import { encodeRoleHello } from '../../../src/common/wire/role-hello.ts'
import { TestClient } from '../../tracker/support/test-client.ts'
import { Place } from '../diagnosis/place.ts'
import type { Member } from '../sharing/two-sharers.ts'

interface Point {
  readonly port: number
  readonly token: string
}

/** Somebody who dials, and what he hears. */
class Dialler {
  readonly socket: Socket
  heard = ''
  isClosed = false

  constructor({ port, token }: Point, says: string) {
    this.socket = connect({ host: '127.0.0.1', port })
    onTestFinished(() => void this.socket.destroy())
    this.socket.on('data', (bytes: Buffer) => void (this.heard += bytes.toString()))
    this.socket.on('error', () => this.socket.destroy())
    this.socket.on('close', () => (this.isClosed = true))
    this.socket.write(encodeRoleHello({ role: 'relays', token }) + says)
  }
}

async function joined(place: Place, owner: Member, user: string): Promise<TestClient> {
  const client = await TestClient.loggedIn(place.tracker.address, user)
  await client.change('join_group', { group: 'g' })
  expect(await owner.client.operations.acceptRequest('g', user)).toMatchObject({ ok: true })
  return client
}

/** Cem's client is in a group with Ann and Ben. `call`: by which Ben calls Ann, where both are to dial then. */
async function annBenAndCem(options: Parameters<Place['member']>[1]) {
  const place = await Place.open({ isLookedFor: () => true })
  const cem = await place.member('cem', options)
  expect(await cem.client.operations.createGroup('g')).toMatchObject({ ok: true })
  const [ann, ben] = [await joined(place, cem, 'ann'), await joined(place, cem, 'ben')]
  const call = async (): Promise<[Point, Point] | undefined> => {
    const who = { group: 'g', user: 'ann', key: ann.identity.publicKey, token: makeNonce() }
    const answer = await ben.request('call_peer', { ...who, relay: true })
    const { relay } = (await ann.hears('peer_calls')) as { relay?: Point }
    if (!answer.ok) throw new Error(answer.refusal.sentence)
    return answer.value.relay && relay && [answer.value.relay, relay]
  }
  return { place, cem, call }
}

test('two members reach each other by a third one who forwards, until that one logs out', async () => {
  const { place, cem, call } = await annBenAndCem({ relay: { bytesPerSecond: undefined } })
  // The tracker has to come to Cem's client first.
  const points = await vi.waitFor(
    async () => (await call()) ?? Promise.reject(new Error('nobody forwards')),
    {
      interval: 200,
    },
  )
  expect(points.map(({ port }) => port)).toEqual([place.portOf(cem), place.portOf(cem)])
  const [ben, ann] = [new Dialler(points[0], 'from Ben'), new Dialler(points[1], 'from Ann')]
  await vi.waitFor(() => expect([ben.heard, ann.heard]).toEqual(['from Ann', 'from Ben']))
  await cem.client.operations.logout()
  await vi.waitFor(() => expect([ben.isClosed, ann.isClosed]).toEqual([true, true]))
  expect(await call()).toBeUndefined()
})

test('a client that does not offer to forward is not asked to, and forwards for nobody', async () => {
  const { place, cem, call } = await annBenAndCem({})
  expect(await call()).toBeUndefined()
  const stranger = new Dialler({ port: place.portOf(cem), token: makeNonce() }, '')
  await vi.waitFor(() => expect(stranger.heard).toContain('nothing of the kind is expected here'))
})

test('a client that forwards does so for nobody of whom its tracker has not told it', async () => {
  const { place, cem } = await annBenAndCem({ relay: { bytesPerSecond: undefined } })
  const stranger = new Dialler({ port: place.portOf(cem), token: makeNonce() }, '')
  await vi.waitFor(() => expect(stranger.heard).toContain('nothing of the kind is expected here'))
})
