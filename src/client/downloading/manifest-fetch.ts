// Getting the manifest of a file from whoever has it. Peers are asked one after the other, the next
// when the last is slow: a peer that hangs costs a second.

import { Failure } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { PeerLink } from './peer-link.ts'
import type { SwarmNetwork } from './swarm.ts'

const patienceMs = 1000

/** A manifest, and the connection that it came by, on which pieces can be asked for. */
export interface FetchedManifest {
  readonly manifest: Manifest
  readonly link: PeerLink
}

/** The first manifest that proves itself; undefined when none of these peers gives one. */
export async function fetchManifest(
  network: SwarmNetwork,
  fileId: string,
  ticket: string,
  peers: readonly Peer[],
): Promise<FetchedManifest | undefined> {
  const others = peers.filter((peer) => peer.key !== network.identity.publicKey)
  return new Promise((resolve, reject) => {
    const waiting = [...others]
    let running = 0
    let settled = false
    const finish = (fetched: FetchedManifest | undefined): void => {
      if (settled) fetched?.link.close('not needed')
      settled = true
      clearInterval(hurry)
      resolve(fetched)
    }
    const next = (): void => {
      const peer = waiting.shift()
      if (settled) return
      if (peer === undefined) {
        if (running === 0) finish(undefined)
        return
      }
      running++
      fromPeer(network, fileId, ticket, peer).then((fetched) => {
        running--
        if (fetched === undefined) next()
        else finish(fetched)
      }, reject)
    }
    const hurry = setInterval(next, patienceMs)
    next()
  })
}

async function fromPeer(
  { identity, listen, bucket, turns }: SwarmNetwork,
  fileId: string,
  ticket: string,
  peer: Peer,
): Promise<FetchedManifest | undefined> {
  let link: PeerLink | undefined
  try {
    const opened = await turns.run(() => PeerLink.open({ peer, fileId, ticket, identity, listen, bucket }))
    if (!opened.ok) return undefined
    link = opened.value
    const manifest = await link.fetchManifest()
    if (manifest.ok) return { manifest: manifest.value, link }
  } catch (error) {
    if (!(error instanceof Failure)) throw error
  }
  link?.close('not needed')
  return undefined
}
