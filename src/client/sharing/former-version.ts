// Finds out which version of a file a new one replaces, for the user to be told.

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
 * Undefined when there is none. What is remembered here may have been replaced from another machine; only a
 * registered share cannot have been without a notification. Rejects with a failure when no tracker answers.
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
