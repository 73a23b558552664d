// Further connections to a far peer, opened while the first one is being greeted.

import { expect, test } from 'vitest'
import type { EarlyPieces } from '../../../src/client/downloading/early-pieces.ts'
import { LanePlaces, furtherLanesMax } from '../../../src/client/downloading/lane-places.ts'
import { lanesMax } from '../../../src/client/downloading/lane-plan.ts'
import { LanesAhead, type LanesAheadOptions } from '../../../src/client/downloading/lanes-ahead.ts'
import type { PeerLink } from '../../../src/client/downloading/peer-link.ts'
import type { SwarmNetwork } from '../../../src/client/downloading/swarm-parts.ts'
import { Failure } from '../../../src/common/failure.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'

const peer = { user: 'ann', key: 'k', host: '192.0.2.1', port: 1, complete: true }
const farMs = 50

/** What comes of dialling; `answers`: what each further connection comes to. */
function dialled(
  roundTripMs: number,
  { limit, ...options }: Partial<LanesAheadOptions> & { limit?: number } = {},
  answers: (nth: number) => PeerLink | undefined | Failure = () => link(),
) {
  const places = new LanePlaces()
  const network = { lanes: places, bucket: new TokenBucket(limit) } as unknown as SwarmNetwork
  let opened = 0
  const all = { network, peer, fileId: 'f', ticket: 't', knownCount: () => 1, missingBytes: 2 ** 30 }
  const ahead = new LanesAhead({ ...all, ...options }, () => {
    const answer = answers(opened++)
    return answer instanceof Failure ? Promise.reject(answer) : Promise.resolve(answer)
  })
  ahead.onDialled(roundTripMs)
  const freePlaces = (): number => {
    let free = 0
    while (places.take() !== undefined) free++
    return free
  }
  return { ahead, freePlaces, opened: () => opened }
}

let closed = 0
function link(): PeerLink {
  return { close: () => closed++ } as unknown as PeerLink
}

test('as many are opened as one far peer is asked on, and each is handed over once', async () => {
  const { ahead, freePlaces, opened } = dialled(farMs)
  expect(opened()).toBe(lanesMax - 1)
  const taken = await Promise.all(ahead.take())
  expect(taken.map((one) => one?.link)).not.toContain(undefined)
  expect([taken.length, ahead.take().length]).toEqual([lanesMax - 1, 0])
  // Their places are given back by whoever took them.
  ahead.close()
  expect(closed).toBe(0)
  for (const one of taken) one?.giveBack()
  expect(freePlaces()).toBe(furtherLanesMax)
})

test.each([
  ['a near peer', 15, {}],
  ['one of many that are known', farMs, { knownCount: () => 4 }],
  ['a download under a limit', farMs, { limit: 1_000_000 }],
  ['a small file', farMs, { missingBytes: 15 * pieceBytes }],
  ['a peer on this machine', farMs, { peer: { ...peer, host: '127.0.0.1' } }],
])('%s gets none', (_what, roundTripMs, options) => {
  expect(dialled(roundTripMs, options).opened()).toBe(0)
})

test('each is asked for pieces at once, of a peer that has all', async () => {
  for (const complete of [true, false]) {
    const asked: unknown[] = []
    const early = { ask: (link: PeerLink) => asked.push(link), take: () => [], drop: () => undefined }
    const options = { peer: { ...peer, complete }, early: early as unknown as EarlyPieces }
    const { ahead } = dialled(farMs, options)
    const links = (await Promise.all(ahead.take())).map((one) => one?.link)
    expect(asked).toEqual(complete ? links : [])
  }
})

test('those that nobody takes are closed with the first one, and their places are free again', async () => {
  closed = 0
  const { ahead, freePlaces } = dialled(farMs)
  ahead.close()
  await Promise.resolve()
  await new Promise(setImmediate)
  expect([closed, freePlaces()]).toEqual([lanesMax - 1, furtherLanesMax])
  ahead.onDialled(farMs)
  expect(ahead.take()).toEqual([])
})

test('what the peer refuses, or cannot be reached, is none, and takes no place', async () => {
  const lost = new Failure('connection-lost', 'it is gone')
  const { ahead, freePlaces } = dialled(farMs, {}, (nth) => (nth % 2 === 0 ? undefined : lost))
  expect(new Set(await Promise.all(ahead.take()))).toEqual(new Set([undefined]))
  expect(freePlaces()).toBe(furtherLanesMax)
})
