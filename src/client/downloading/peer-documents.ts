// What a peer tells of a content besides its pieces: the manifest, which proves itself, and the recipe, which is a hint.

import { manifestBytesMax, recipeBytesMax } from '../../common/limits.ts'
import { contentBytes, parseManifest, type Manifest } from '../../common/manifest.ts'
import type { PeerProtocol } from '../../common/protocol/peer-protocol.ts'
import { parseRecipe, type Recipe } from '../../common/recipe/recipe.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { Caller } from '../../common/wire/caller.ts'

/** A manifest request fails after this long without a byte; it continues while bytes arrive. */
const manifestTimeoutMs = 5000
/** A recipe may have to be made first, from so many bytes in a millisecond. */
const recipeBytesPerMs = 50_000

/** The manifest, verified by the file id; `piece-missing` when the peer, called `name`, sent a different one. */
export async function askForManifest(
  caller: Caller<PeerProtocol>,
  fileId: string,
  name: string,
): Promise<Answer<Manifest>> {
  let body: Buffer | undefined
  const bodyBuffer = (bytes: number): Buffer =>
    (body = Buffer.allocUnsafeSlow(Math.min(bytes, manifestBytesMax)))
  const answer = await caller.request('manifest', { fileId }, { bodyBuffer, timeoutMs: manifestTimeoutMs })
  if (!answer.ok) return answer
  const manifest = body === undefined ? undefined : parseManifest(body)
  if (manifest?.fileId !== fileId) return refuse('piece-missing', `${name} sent the hashes of another file`)
  return accept(manifest)
}

/** Likewise the recipe, of which only the form is checked. */
export async function askForRecipe(
  caller: Caller<PeerProtocol>,
  manifest: Manifest,
  name: string,
): Promise<Answer<Recipe>> {
  let body: Buffer | undefined
  const bodyBuffer = (bytes: number): Buffer =>
    (body = Buffer.allocUnsafeSlow(Math.min(bytes, recipeBytesMax)))
  const timeoutMs = manifestTimeoutMs + Math.ceil(contentBytes(manifest) / recipeBytesPerMs)
  const { fileId } = manifest
  const answer = await caller.request('recipe', { fileId }, { bodyBuffer, timeoutMs })
  if (!answer.ok) return answer
  const recipe = body === undefined ? undefined : parseRecipe(body, manifest)
  return recipe === undefined ? refuse('piece-missing', `${name} sent no recipe`) : accept(recipe)
}
