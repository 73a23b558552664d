// What a peer tells of a content besides its pieces: the manifest, which proves itself, and the recipe, which is a hint.

import { manifestBytesMax, recipeBytesMax } from '../../common/limits.ts'
import { contentBytes, parseManifest, type Manifest } from '../../common/manifest.ts'
import type { PeerProtocol } from '../../common/protocol/peer-protocol.ts'
import { blocksIn } from '../../common/recipe/block-layout.ts'
import type { BlockRange } from '../../common/recipe/ranges.ts'
import { blockRecordBytes, parseOutline, type Outline } from '../../common/recipe/recipe.ts'
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

/** The outline of the recipe, of which only the form is checked; the peer may have to make it first. */
export async function askForOutline(
  caller: Caller<PeerProtocol>,
  manifest: Manifest,
  name: string,
): Promise<Answer<Outline>> {
  const timeoutMs = manifestTimeoutMs + Math.ceil(contentBytes(manifest) / recipeBytesPerMs)
  const answer = await askForPart(caller, { fileId: manifest.fileId }, timeoutMs)
  if (!answer.ok) return answer
  const outline = parseOutline(answer.value, manifest)
  return outline === undefined ? refuse('piece-missing', `${name} sent no recipe`) : accept(outline)
}

/** Likewise the records of the blocks of these groups, one behind the other. */
export async function askForBlocks(
  caller: Caller<PeerProtocol>,
  fileId: string,
  groups: BlockRange[],
  { layout }: Outline,
  name: string,
): Promise<Answer<Buffer>> {
  const answer = await askForPart(caller, { fileId, groups }, manifestTimeoutMs)
  if (!answer.ok) return answer
  const isRight = answer.value.length === blocksIn(layout, groups) * blockRecordBytes
  return isRight ? answer : refuse('piece-missing', `${name} sent other parts of its recipe`)
}

async function askForPart(
  caller: Caller<PeerProtocol>,
  part: { readonly fileId: string; readonly groups?: BlockRange[] },
  timeoutMs: number,
): Promise<Answer<Buffer>> {
  let body: Buffer = Buffer.alloc(0)
  const bodyBuffer = (bytes: number): Buffer =>
    (body = Buffer.allocUnsafeSlow(Math.min(bytes, recipeBytesMax)))
  const answer = await caller.request('recipe', part, { bodyBuffer, timeoutMs })
  return answer.ok ? accept(body) : answer
}
