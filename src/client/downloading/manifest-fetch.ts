// Gets the manifest of a file from whoever has it. Asks one peer, then more and more at a time while none of those
// asked sends any of it: peers that hang cost seconds, however many they are, and one that is slow is not asked for
// the same in vain.

import { Failure } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Answer } from '../../common/refusal.ts'
import { PeerLink } from './peer-link.ts'
import { isOfTicket } from './peer-greeting.ts'
import type { SwarmNetwork } from './swarm.ts'

/** After so long more peers are asked. */
const patienceMs = 500

/** A manifest, and the connection that it came by, on which pieces can be asked for. */
export interface FetchedManifest {
  readonly manifest: Manifest
  readonly link: PeerLink
}

export interface ManifestRequest {
  readonly fileId: string
  readonly ticket: string
  readonly peers: readonly Peer[]
  readonly onTicketRefused: () => void
}

/** The first manifest that proves itself; undefined when none of these peers gives one. */
export async function fetchManifest(
  network: SwarmNetwork,
  request: ManifestRequest,
): Promise<FetchedManifest | undefined> {
  const waiting = request.peers.filter((peer) => peer.key !== network.identity.publicKey)
  return new Promise((resolve, reject) => {
    const running = new Set<Attempt>()
    let settled = false
    const finish = (fetched: FetchedManifest | undefined): void => {
      if (settled) return
      settled = true
      clearInterval(hurry)
      for (const attempt of running) attempt.stop()
      resolve(fetched)
    }
    const next = (): void => {
      const peer = waiting.shift()
      if (settled) return
      if (peer === undefined) {
        if (running.size === 0) finish(undefined)
        return
      }
      const attempt = new Attempt(network, request, peer)
      running.add(attempt)
      attempt.fetched.then((fetched) => {
        running.delete(attempt)
        if (fetched === undefined) next()
        else if (settled) fetched.link.close('not needed')
        else finish(fetched)
      }, reject)
    }
    const hurry = setInterval(() => {
      const comes = [...running].some((attempt) => attempt.hasMoved())
      for (let more = comes ? 1 : running.size; more > 0; more--) next()
    }, patienceMs)
    next()
  })
}

/** Asking one peer. */
class Attempt {
  /** Undefined when it does not give the manifest. Rejects for bugs only. */
  readonly fetched: Promise<FetchedManifest | undefined>
  #link: PeerLink | undefined
  #stopped = false
  #heardAtMs = 0

  constructor(network: SwarmNetwork, request: ManifestRequest, peer: Peer) {
    this.fetched = this.#fetch(network, request, peer)
  }

  /** Whether it is connected and sent something since it was last asked. */
  hasMoved(): boolean {
    const heardAtMs = this.#link?.lastHeardAtMs ?? 0
    const hasMoved = heardAtMs > this.#heardAtMs
    this.#heardAtMs = heardAtMs
    return hasMoved
  }

  stop(): void {
    this.#stopped = true
    this.#link?.close('not needed')
  }

  async #fetch(
    { identity, listen, bucket, turns }: SwarmNetwork,
    { fileId, ticket, onTicketRefused }: ManifestRequest,
    peer: Peer,
  ): Promise<FetchedManifest | undefined> {
    try {
      const open = (): Promise<Answer<PeerLink>> =>
        PeerLink.open({ peer, fileId, ticket, identity, listen, bucket })
      const opened = await turns.run(async () => (this.#stopped ? undefined : open()))
      if (opened?.ok === false && isOfTicket(opened.refusal)) onTicketRefused()
      if (opened?.ok !== true) return undefined
      this.#link = opened.value
      const manifest = this.#stopped ? undefined : await this.#link.fetchManifest()
      if (manifest?.ok === true) return { manifest: manifest.value, link: this.#link }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
    this.#link?.close('not needed')
    return undefined
  }
}
