// What a downloader makes of an end that is not the peer: it is no fault of that peer. And in what order it asks one that is.

import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PeerLink } from '../../../src/client/downloading/peer-link.ts'
import { NetworkChanges } from '../../../src/client/network/network-changes.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import type { Address } from '../../../src/common/addresses.ts'
import type { Beside } from '../../../src/client/downloading/beside.ts'
import { peerProtocol, type PeerProtocol } from '../../../src/common/protocol/peer-protocol.ts'
import { accept, refuse, type Answer } from '../../../src/common/refusal.ts'
import { makeNonce, proveKey } from '../../../src/common/security/challenge.ts'
import { makeIdentity } from '../../../src/common/security/identity.ts'
import { protocolVersion } from '../../../src/common/version.ts'
import { Channel } from '../../../src/common/wire/channel.ts'
import type { Stage } from '../../../src/common/wire/methods.ts'
import { Responder } from '../../../src/common/wire/responder.ts'
import { Protection } from '../../../src/common/wire/protection.ts'
import type { PeerRoutes } from '../../../src/client/reach/peer-routes.ts'
import { routesHere } from '../routes-here.ts'
import { listeningSecurely, ofAnotherKind, vouchedFor } from '../../common/other-certificates.ts'

const own = makeIdentity()

/** As if the peer were on another machine, which takes 30 ms to dial. */
function notHere(routes: PeerRoutes): PeerRoutes {
  const open: PeerRoutes['open'] = (destination) => {
    destination.onDialled?.(30)
    return routes.open(destination)
  }
  return { open } as PeerRoutes
}

/** What comes of connecting to a peer that has this key. */
function opening(
  { host, port }: Address,
  key: string,
  { beside, mode = 'always' }: { beside?: Beside<PeerLink>; mode?: 'always' | 'never' } = {},
): Promise<Answer<PeerLink>> {
  const routes = routesHere(new Protection(own.forTls, mode))
  return PeerLink.open({
    peer: { user: 'ann', host, port, key, complete: true },
    fileId: 'f'.repeat(64),
    ticket: 'a ticket',
    identity: own,
    ...(beside && { beside }),
    routes: beside === undefined ? routes : notHere(routes),
    changes: new NetworkChanges(),
    bucket: new TokenBucket(undefined),
  })
}

// A peer that breaks the protocol is named to the user and not asked again: somebody in between could do that to others.
test('an end with another key, or a key of another kind, is not taken for a peer that breaks the protocol', async () => {
  const other = makeIdentity()
  for (const options of [other.forTls, ofAnotherKind()])
    await expect(opening(await listeningSecurely(options), own.publicKey)).rejects.toMatchObject({
      code: 'connection-lost',
      message: expect.stringContaining('is not the client that the tracker named') as string,
    })
})

test('a peer that shows others that vouch for it is', async () => {
  const { key, tlsOptions } = vouchedFor()
  await expect(opening(await listeningSecurely(tlsOptions), key)).rejects.toMatchObject({ code: 'protocol' })
})

/** A peer that answers `prove` when the test says so, and in which way; what it was asked so far, in order. */
async function slowToProve(proving: Promise<Answer<Record<string, never>>>) {
  const theirs = makeIdentity()
  const asked: string[] = []
  const stage = { now: 'connected' as Stage }
  const waits = <T>(method: string): Promise<T> => {
    asked.push(method)
    return new Promise(() => undefined)
  }
  const notProved = (method: string): Answer<never> => {
    asked.push(method)
    return refuse('login-first', 'log in first')
  }
  const server = createServer((socket) => {
    const responder = new Responder<PeerProtocol, undefined>(new Channel(socket, 4096), {
      protocol: peerProtocol,
      from: undefined,
      handlers: {
        hello: ({ nonce }) => {
          stage.now = 'proven'
          const responderNonce = makeNonce()
          const keys = { callerKey: own.publicKey, responderKey: theirs.publicKey, binding: undefined }
          const proof = proveKey(theirs, 'responder', { callerNonce: nonce, responderNonce, ...keys })
          const about = { protocol: protocolVersion, program: 'slow', features: [] }
          return accept({ ...about, nonce: responderNonce, key: theirs.publicKey, proof })
        },
        prove: () => {
          asked.push('prove')
          return proving
        },
        open: () => notProved('open'),
        manifest: () => notProved('manifest'),
        ping: () => accept({}),
        renew: () => waits('renew'),
        recipe: () => waits('recipe'),
        piece: () => waits('piece'),
      },
      onTold: { cancel: () => undefined, wants: () => undefined, taken: () => undefined },
      stage: () => stage.now,
      onClosed: () => undefined,
      onFailure: (error) => {
        throw error
      },
    })
    onTestFinished(() => responder.close('the test is over'))
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { address: { host: '127.0.0.1', port }, key: theirs.publicKey, asked }
}

test('a peer is asked for its file together with the proof, and not a round trip later', async () => {
  let answer: (proved: Answer<Record<string, never>>) => void = () => undefined
  const { address, key, asked } = await slowToProve(new Promise((resolve) => (answer = resolve)))
  const opened = await opening(address, key, { mode: 'never' })
  if (!opened.ok) throw new Error('it was refused')
  const manifest = opened.value.fetchManifest()
  const file = opened.value.openFile(1)
  await vi.waitFor(() => expect(asked).toEqual(['prove', 'manifest', 'open']))
  // What counts is what the peer says of the proof.
  answer(refuse('proof-failed', 'this is not the key that the ticket names'))
  for (const refused of [await manifest, await file])
    expect(refused).toMatchObject({ ok: false, refusal: { code: 'proof-failed' } })
  opened.value.close('the test is over')
})

test('what is opened beside a connection hears of its dial, and ends with it', async () => {
  const heard: string[] = []
  const beside = (name: string): Beside<PeerLink> => ({
    onDialled: (tookMs) => heard.push(`${name} dialled in ${tookMs}`),
    take: () => [],
    takePieces: () => [],
    close: () => heard.push(`${name} closed`),
  })
  const { address, key } = await slowToProve(Promise.resolve(accept({})))
  const opened = await opening(address, key, { mode: 'never', beside: beside('one') })
  expect(heard).toEqual(['one dialled in 30'])
  // That is a round trip, unless an answer has come sooner.
  expect(opened.ok && opened.value.pace.roundTripMs).toBeLessThanOrEqual(30)
  if (opened.ok) opened.value.close('the test is over')
  expect(heard).toEqual(['one dialled in 30', 'one closed'])
  const nobody = await slowToProve(Promise.resolve(accept({})))
  await expect(
    opening(nobody.address, own.publicKey, { mode: 'never', beside: beside('other') }),
  ).rejects.toMatchObject({ code: 'connection-lost' })
  await expect(
    opening({ host: '127.0.0.1', port: 1 }, key, { beside: beside('third') }),
  ).rejects.toMatchObject({ code: 'connection-lost' })
  expect(heard.slice(2)).toEqual([
    'other dialled in 30',
    'other closed',
    'third dialled in 30',
    'third closed',
  ])
})
