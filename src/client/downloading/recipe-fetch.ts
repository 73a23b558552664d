// Gets the recipe of a content from a peer that offers it: the outline, and then the blocks of the groups that were not
// found here. A download goes on without one when no peer gives it.

import { Failure } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { groupRangesMax, type BlockRange } from '../../common/recipe/ranges.ts'
import type { Outline } from '../../common/recipe/recipe.ts'
import type { Answer } from '../../common/refusal.ts'
import { orAborted } from '../../common/abortable.ts'
import { PeerLink } from './peer-link.ts'
import type { SwarmLookup } from './swarm-lookup.ts'
import type { SwarmNetwork } from './swarm-parts.ts'

/** Peers that are asked, one after the other. */
const askedMax = 4

export interface RecipeRequest {
  readonly manifest: Manifest
  readonly network: SwarmNetwork
  readonly lookup: SwarmLookup
  /** A connection that is open already. */
  readonly link: PeerLink | undefined
  readonly signal: AbortSignal
}

export class RecipeFetch {
  readonly #request: RecipeRequest
  /** The one that gave the outline. */
  #link: PeerLink | undefined

  constructor(request: RecipeRequest) {
    this.#request = request
  }

  /** Waits until a peer is there; undefined when none gives it. Rejects with the signal's reason as soon as it aborts. */
  async outline(): Promise<Outline | undefined> {
    const { link } = this.#request
    const outline = link && (await this.#outlineOf(link))
    return outline ?? this.#ofAnyPeer()
  }

  /** The records of the blocks of these groups, one behind the other, from the same peer. Likewise. */
  async blocks(outline: Outline, groups: readonly BlockRange[]): Promise<Buffer | undefined> {
    const records: Buffer[] = []
    for (let at = 0; at < groups.length; at += groupRangesMax) {
      const some = groups.slice(at, at + groupRangesMax)
      const part = await this.#ask((link) => link.fetchBlocks(outline, some))
      if (part === undefined) return undefined
      records.push(part)
    }
    return Buffer.concat(records)
  }

  /** Nothing is asked for any more. */
  close(): void {
    if (this.#link !== this.#request.link) this.#link?.close('not needed')
    this.#link = undefined
  }

  async #ofAnyPeer(): Promise<Outline | undefined> {
    const { lookup, network, link, signal } = this.#request
    const others = (): Peer[] =>
      lookup.ticket === '' ? [] : lookup.peers.filter(({ key }) => key !== network.identity.publicKey)
    while (others().length === 0) await lookup.untilNews(lookup.newsCount, signal)
    for (const peer of others().slice(0, askedMax)) {
      if (peer.key === link?.peer.key) continue
      const other = await this.#connect(peer)
      const outline = other && (await this.#outlineOf(other))
      if (outline !== undefined) return outline
    }
    return undefined
  }

  async #connect(peer: Peer): Promise<PeerLink | undefined> {
    const { manifest, lookup, network, signal } = this.#request
    const { fileId } = manifest
    const open = async (): Promise<PeerLink | undefined> => {
      const opened = await PeerLink.open({ ...network, peer, fileId, ticket: lookup.ticket })
      return opened.ok ? opened.value : undefined
    }
    const opening = network.turns.run(open).catch(ignoreFailure)
    return orAborted(opening, signal, (late) => late?.close('not needed'))
  }

  /** Closes the link of a peer that does not give it. */
  async #outlineOf(link: PeerLink): Promise<Outline | undefined> {
    this.#link = link
    const { manifest } = this.#request
    const outline = link.offersRecipes ? await this.#ask(() => link.fetchOutline(manifest)) : undefined
    if (outline === undefined) this.close()
    return outline
  }

  async #ask<T>(request: (link: PeerLink) => Promise<Answer<T>>): Promise<T | undefined> {
    if (this.#link === undefined) return undefined
    const answer = await orAborted(request(this.#link).catch(ignoreFailure), this.#request.signal)
    return answer?.ok === true ? answer.value : undefined
  }
}

/** A peer that is gone, or that breaks the protocol, gives no recipe. */
function ignoreFailure(error: unknown): undefined {
  if (!(error instanceof Failure)) throw error
}
