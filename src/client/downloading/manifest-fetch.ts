// Fetches the manifest of a file from its peers. Asks one peer, then more at every interval: as many again
// while none sends anything, one while data arrives. Hanging peers thus cost only seconds, however many there
// are, and a slow peer causes few duplicate requests.

import { Failure } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Answer } from '../../common/refusal.ts'
import type { EarlyPieces } from './early-pieces.ts'
import { LanesAhead } from './lanes-ahead.ts'
import { PeerLink } from './peer-link.ts'
import { isOfTicket } from './peer-greeting.ts'
import type { PeerNotes } from './peer-notes.ts'
import type { SwarmNetwork } from './swarm-parts.ts'

/** Interval at which more peers are asked. */
const patienceMs = 500
/** When a peer that did not give it is asked again, while another one still sends. */
const againMs = 5000

/** A manifest and the connection it came over, on which pieces can be requested. */
export interface FetchedManifest {
  readonly manifest: Manifest
  readonly link: PeerLink
}

export interface ManifestRequest {
  readonly fileId: string
  /** The newest ticket. */
  readonly ticket: () => string
  /** The peers that are known at the moment. */
  readonly peers: () => readonly Peer[]
  readonly notes: PeerNotes
  readonly onTicketRefused: () => void
  /** How much is to be fetched then. */
  readonly missingBytes: number
  /** What may be asked for before the manifest is here, of each peer anew. */
  readonly early?: (() => EarlyPieces) | undefined
}

/**
 * The first manifest that matches the file id; undefined when none of the peers gives one. Peers that appear
 * meanwhile are asked too: one that sends a byte now and then would keep the others waiting for ever.
 */
export async function fetchManifest(
  network: SwarmNetwork,
  request: ManifestRequest,
): Promise<FetchedManifest | undefined> {
  /** When each may be asked again; Infinity while it is being asked. */
  const askedUntilMs = new Map<string, number>([[network.identity.publicKey, Infinity]])
  const findNext = (): Peer | undefined =>
    request.peers().find(({ key }) => (askedUntilMs.get(key) ?? 0) <= performance.now())
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
      if (settled) return
      const peer = findNext()
      if (peer === undefined) {
        if (running.size === 0) finish(undefined)
        return
      }
      askedUntilMs.set(peer.key, Infinity)
      const attempt = new Attempt(network, request, peer)
      running.add(attempt)
      attempt.fetched.then((fetched) => {
        running.delete(attempt)
        askedUntilMs.set(peer.key, performance.now() + againMs)
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

/** Fetches the manifest from one peer. */
class Attempt {
  /** Undefined when the peer does not give the manifest. Rejects for bugs only. */
  readonly fetched: Promise<FetchedManifest | undefined>
  #link: PeerLink | undefined
  #stopped = false
  #heardAtMs = 0

  constructor(network: SwarmNetwork, request: ManifestRequest, peer: Peer) {
    this.fetched = this.#fetch(network, request, peer)
  }

  /** Whether the peer is connected and sent something since the last call. */
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
    network: SwarmNetwork,
    { fileId, ticket, notes, onTicketRefused, peers, missingBytes, early }: ManifestRequest,
    peer: Peer,
  ): Promise<FetchedManifest | undefined> {
    try {
      const open = (): Promise<Answer<PeerLink>> => {
        const asked = { peer, fileId, ticket: ticket() }
        const knownCount = (): number => peers().length
        const beside = new LanesAhead({ ...asked, network, knownCount, missingBytes, early: early?.() })
        return PeerLink.open({ ...network, ...asked, beside })
      }
      const opened = await network.turns.run(async () => {
        if (this.#stopped) return undefined
        notes.onTrying(peer)
        return open()
      })
      if (opened?.ok === false) {
        notes.onRefused(peer, opened.refusal)
        if (isOfTicket(opened.refusal)) onTicketRefused()
      }
      if (opened?.ok !== true) return undefined
      notes.onAdmitted(peer)
      this.#link = opened.value
      const asked = this.#stopped ? undefined : this.#link.fetchManifest()
      // Pieces will be wanted next: one word more costs nothing here, and a round trip later.
      if (asked !== undefined) this.#link.whenOpen().catch(() => undefined)
      const manifest = await asked
      if (manifest?.ok === true) return { manifest: manifest.value, link: this.#link }
      notes.onClosed(peer.key)
      if (manifest !== undefined) notes.onRefused(peer, manifest.refusal)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (!this.#stopped) notes.onFailed(peer, error)
    }
    this.#link?.close('not needed')
    return undefined
  }
}
