// Decides how a download is to begin: from where, to where, and what becomes of what is there already.

import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { Fetched } from '../file-key.ts'
import type { LocalContent } from '../sharing/local-content.ts'
import type { RememberedDownload } from '../storage/user-store.ts'
import { whatIsThere, type PlanOptions } from './already-there.ts'
import { checkRoom, pathFor, placeFor } from './destination.ts'
import type { Download } from './download.ts'
import type { DownloadsParts } from './downloads-parts.ts'
import type { ReadFolder } from './folder-reader.ts'
import { planSelection } from './selection-plan.ts'
import type { FoundFile } from './swarm-lookup.ts'
import { takenBy } from './taken-place.ts'

export type Plan =
  /** It is there already. */
  | { readonly kind: 'adopt'; readonly path: string; readonly content: LocalContent }
  | {
      readonly kind: 'fetch'
      readonly record: RememberedDownload
      readonly waiting: boolean
      /** What was read of the folder. */
      readonly folder?: ReadFolder | undefined
      /** What is at `from` of the record, where that was hashed already. */
      readonly here?: LocalContent | undefined
    }

export interface PlanParts extends Pick<DownloadsParts, 'network' | 'link' | 'shares' | 'reader'> {
  /** Those that there are. */
  readonly downloads: readonly Download[]
}

/** `destination`: given by a person. Refuses an unusable one, and what cannot be had. */
export async function planDownload(
  file: Fetched,
  found: FoundFile,
  destination: string,
  options: PlanOptions,
  parts: PlanParts,
): Promise<Answer<Plan>> {
  const { network, link, shares, downloads } = parts
  const { group, name, within } = file
  const { fileId, sizeBytes, files, peers } = found
  const others = peers.filter(({ key }) => key !== network.identity.publicKey)
  const own = shares.pathOf(group, name)
  if (own !== undefined && others.length === 0) {
    return refuse('local-file', `nobody else who has ${name} is online; you share it yourself, from ${own}`)
  }
  if (within !== undefined)
    return planSelection({ group, name, within }, found, destination, options, {
      ...parts,
      waiting: others.length === 0,
    })
  const path = destination === '' ? '' : await pathFor(destination, name)
  const taken = takenBy(path, file, downloads)
  if (taken !== undefined) return taken
  const there = await whatIsThere(path, found, options, {
    contentAt: (at) => shares.contentAt({ group, name, path: at }),
    versions: async () => {
      const listed = await link.ask('list_versions', { group, name })
      return listed.ok ? accept(listed.value.versions) : listed
    },
  })
  if (!there.ok) return there
  if (there.value?.kind === 'adopt') return accept({ kind: 'adopt', path, content: there.value.content })
  const replaced = there.value?.folder
  // A folder that is replaced is there until the new one is.
  const place = replaced === undefined ? await placeFor(destination, name, options.overwrite) : accept(path)
  if (!place.ok) return place
  // A folder is written from its part file, which goes then.
  const copies = files === undefined ? 1 : 2
  const room = await checkRoom(place.value, copies * sizeBytes)
  if (!room.ok) return room
  const record: RememberedDownload = {
    group,
    name,
    fileId,
    sizeBytes,
    files,
    destination: place.value,
    overwrite: options.overwrite,
    paused: false,
    unshared: false,
    // What is replaced may have most of it.
    from: options.from ?? (there.value === undefined ? undefined : place.value),
    replaces: replaced,
  }
  const here = options.from === undefined ? there.value?.content : undefined
  return accept({ kind: 'fetch', record, waiting: others.length === 0, here })
}
