// Asks a sharing client everything, with every kind of ticket and with none, and compares the answers with the table of
// PROTOCOL.md.

import { describe, expect, test } from 'vitest'
import { Failure } from '../../../src/common/failure.ts'
import { peerProtocol, type PeerProtocol } from '../../../src/common/protocol/peer-protocol.ts'
import type { Answer } from '../../../src/common/refusal.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import type { Method } from '../../../src/common/wire/methods.ts'
import { documentedRights } from '../../common/documented-rights.ts'
import type { RawPeer } from '../../integration/raw-peer.ts'
import { OneSharer } from './one-sharer.ts'

const rights = documentedRights('no ticket')
/** The columns of the table, and how far each can come before a request. */
const askers = {
  'no ticket': 'connected',
  'former member of g': 'refused',
  'key not proved': 'greeted',
  'member of another group': 'proven',
  'member of g': 'proven',
} as const
type Asker = keyof typeof askers

/** `ticket` is the one that the asker has, though it may be no good; `fileId` is that of a file of the group g. */
type Request = (peer: RawPeer, ticket: string, fileId: string) => Promise<Answer<object>>

const requests: Record<Method<PeerProtocol>, Request> = {
  hello: (peer, ticket) => peer.hello(ticket),
  ping: (peer) => peer.caller.request('ping', {}),
  prove: (peer) => peer.prove(),
  renew: (peer, ticket) => peer.caller.request('renew', { ticket }),
  open: (peer, _ticket, fileId) => peer.open(fileId),
  manifest: (peer, _ticket, fileId) => peer.manifest(fileId),
  recipe: (peer, _ticket, fileId) => peer.recipe(fileId),
  piece: (peer, _ticket, fileId) => peer.piece(fileId, 0),
}

async function ask(asker: Asker, method: Method<PeerProtocol>): Promise<string> {
  // So small that its recipe needs no thread.
  const sharer = await OneSharer.start({ pieceCount: 4 })
  const identity = makeIdentity()
  const group = asker === 'member of another group' ? 'another' : 'g'
  const ticket = asker === 'no ticket' ? '' : sharer.ticketOf('bob', identity, group)
  if (asker === 'former member of g') sharer.onRemoved('bob')
  const peer = await sharer.newcomer(asker === 'key not proved' ? makeIdentity() : identity)
  const reached = askers[asker]
  if (reached !== 'connected' && method !== 'hello') await peer.hello(ticket)
  if (reached === 'proven' && method !== 'hello' && method !== 'prove') await peer.prove()
  const came = await codeOf(requests[method](peer, ticket, sharer.manifest.fileId))
  // Bytes come with a yes alone.
  if (came !== 'yes') expect(peer.bodyBytes).toBe(0)
  return came
}

async function codeOf(answer: Promise<Answer<object>>): Promise<string> {
  try {
    const came = await answer
    return came.ok ? 'yes' : came.refusal.code
  } catch (error) {
    if (error instanceof Failure && error.code === 'connection-lost') return 'closed'
    throw error
  }
}

test('the table says of every request between clients who may make it', () => {
  expect([...rights.keys()]).toEqual(Object.keys(peerProtocol.requests))
  expect(Object.keys(requests)).toEqual(Object.keys(peerProtocol.requests))
  for (const [, columns] of rights) expect([...columns.keys()]).toEqual(Object.keys(askers))
})

describe('what a sharing client answers, to everybody, is what the table says:', () => {
  test.each(Object.keys(requests) as Method<PeerProtocol>[])('%s', async (method) => {
    const answers: Record<string, string> = {}
    for (const asker of Object.keys(askers) as Asker[]) answers[asker] = await ask(asker, method)
    expect(answers).toEqual(Object.fromEntries(rights.get(method) ?? []))
  })
})

describe('a member who is removed gets nothing more on a connection of before:', () => {
  test.each(Object.entries(requests))('%s', async (_method, request) => {
    const sharer = await OneSharer.start()
    const identity = makeIdentity()
    const peer = await sharer.member('bob', identity)
    sharer.onRemoved('bob')
    const asked = request(peer, sharer.ticketOf('bob', identity), sharer.manifest.fileId)
    expect(await codeOf(asked)).toBe('closed')
    expect(peer.bodyBytes).toBe(0)
  })
})
