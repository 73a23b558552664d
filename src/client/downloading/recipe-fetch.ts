// Gets the recipe of a content: the one that is kept, or from a peer that offers it. A download goes on without one when
// none does.

import { Failure } from '../../common/failure.ts'
import type { Manifest } from '../../common/manifest.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { parseRecipe, type Recipe } from '../../common/recipe/recipe.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import { orAborted } from '../../common/abortable.ts'
import { PeerLink } from './peer-link.ts'
import type { SwarmLookup } from './swarm-lookup.ts'
import type { SwarmNetwork } from './swarm-parts.ts'

/** Peers that are asked, one after the other. */
const askedMax = 4

export interface RecipeRequest {
  readonly manifest: Manifest
  readonly manifests: ManifestStore
  readonly network: SwarmNetwork
  readonly lookup: SwarmLookup
  /** A connection that is open already. */
  readonly link: PeerLink | undefined
  readonly signal: AbortSignal
}

/** Waits until a peer is there. Rejects with the signal's reason as soon as it aborts. */
export async function fetchRecipe(request: RecipeRequest): Promise<Recipe | undefined> {
  const { manifest, manifests, link } = request
  const kept = manifests.loadRecipe(manifest.fileId)
  const recipe =
    (kept && parseRecipe(kept, manifest)) ??
    (link && (await recipeFrom(link, request))) ??
    (await fromAnyPeer(request))
  // It is served to others, too. One that cannot be kept is fetched again.
  if (recipe !== undefined) await manifests.saveRecipe(manifest.fileId, recipe.bytes).catch(ignoreFailure)
  return recipe
}

async function fromAnyPeer(request: RecipeRequest): Promise<Recipe | undefined> {
  const { lookup, network, link, signal } = request
  const others = (): Peer[] =>
    lookup.ticket === '' ? [] : lookup.peers.filter(({ key }) => key !== network.identity.publicKey)
  while (others().length === 0) await lookup.untilNews(lookup.newsCount, signal)
  for (const peer of others().slice(0, askedMax)) {
    if (peer.key === link?.peer.key) continue
    const recipe = await fromPeer(peer, request)
    if (recipe !== undefined) return recipe
  }
  return undefined
}

async function fromPeer(peer: Peer, request: RecipeRequest): Promise<Recipe | undefined> {
  const { manifest, lookup, network, signal } = request
  const { fileId } = manifest
  const open = async (): Promise<PeerLink | undefined> => {
    const opened = await PeerLink.open({ ...network, peer, fileId, ticket: lookup.ticket })
    return opened.ok ? opened.value : undefined
  }
  const opening = network.turns.run(open).catch(ignoreFailure)
  const link = await orAborted(opening, signal, (late) => late?.close('not needed'))
  if (link === undefined) return undefined
  try {
    return await recipeFrom(link, request)
  } finally {
    link.close('not needed')
  }
}

async function recipeFrom(link: PeerLink, { manifest, signal }: RecipeRequest): Promise<Recipe | undefined> {
  if (!link.offersRecipes) return undefined
  const answer = await orAborted(link.fetchRecipe(manifest).catch(ignoreFailure), signal)
  return answer?.ok === true ? answer.value : undefined
}

/** A peer that is gone, or that breaks the protocol, gives no recipe. */
function ignoreFailure(error: unknown): undefined {
  if (!(error instanceof Failure)) throw error
}
