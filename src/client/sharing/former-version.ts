// Finds the version of a file that a new upload replaces, so that the user can be told.

import { Failure } from '../../common/failure.ts'
import type { Registrar } from './registrar.ts'
import type { ShareParts } from './share-parts.ts'

/** A version that this user shared before. */
export interface FormerVersion {
  readonly fileId: string
  readonly sizeBytes: number
  /** Undefined when another client of the user shared it. */
  readonly path: string | undefined
}

/**
 * The version before, if any. A remembered one may have been replaced from another machine, so the trackers are
 * asked; not for a registered share, because this client would have been notified. Rejects with a failure when no
 * tracker answers.
 */
export async function versionBefore(
  { group, name }: { group: string; name: string },
  { store, link }: ShareParts,
  registrar: Registrar,
): Promise<FormerVersion | undefined> {
  const remembered = store.share({ group, name })
  if (remembered === undefined) return undefined
  const { fileId, sizeBytes, path } = remembered
  if (registrar.isRegistered({ group, name })) return { fileId, sizeBytes, path }
  const found = await link.ask('find_file', { group, name })
  if (!found.ok) return undefined
  // Asking subscribed to its swarm.
  link.ask('forget_file', { group, name }).catch(() => undefined)
  const isHere = found.value.fileId === fileId
  return { fileId: found.value.fileId, sizeBytes: found.value.sizeBytes, path: isHere ? path : undefined }
}

/** Which version of the name this one replaced, and when that came. Undefined where no tracker says so. */
export async function versionReplaced(
  { group, name }: { group: string; name: string },
  { link }: ShareParts,
): Promise<{ version: number; atMs: number } | undefined> {
  const answer = await link.ask('list_versions', { group, name }).catch((error: unknown) => {
    if (!(error instanceof Failure)) throw error
    return undefined
  })
  const before = answer?.ok === true ? answer.value.versions[1] : undefined
  return before && { version: before.version, atMs: before.atMs }
}
