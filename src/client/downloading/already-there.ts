// Decides about what is at the destination of a download already: it may be the content itself, or an earlier version,
// which the person wants to have replaced.

import { hash } from 'node:crypto'
import { lstat } from 'node:fs/promises'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { DownloadOptions } from '../operations.ts'
import type { LocalContent } from '../sharing/local-content.ts'
import type { FolderPool } from '../workers/folder-pool.ts'
import { idOf, type PartId } from './part-file.ts'
import type { FoundFile } from './swarm-lookup.ts'

export interface PlanOptions extends DownloadOptions {
  /** Replace a file, too, only if it is an earlier version as it was. */
  readonly onlyEarlier?: boolean
  /** Of a folder only what has this path in it, or matches this pattern. */
  readonly within?: string | undefined
}

/** A folder that is to be replaced, by which it is recognised when the time has come. */
export interface ReplacedFolder {
  readonly id: PartId
  /** SHA-256 of its tree, hex: other files, sizes or times make another one. */
  readonly tree: string
}

/** What to do about what is there. */
export type Decision =
  /** It is this content already. */
  | { readonly kind: 'adopt'; readonly content: LocalContent }
  | {
      readonly kind: 'replace'
      readonly folder?: ReplacedFolder
      /** What is there, where that was hashed. */
      readonly content?: LocalContent
    }

export interface Looking {
  /** What is at a path now, hashed. */
  readonly contentAt: (path: string) => Promise<Answer<LocalContent>>
  /** The contents that the name has and had, as far as the trackers remember. */
  readonly versions: () => Promise<Answer<readonly { readonly fileId: string }[]>>
}

/**
 * Undefined when there is nothing, or something else than a file for a file, or a folder for a folder: that is for others
 * to refuse.
 */
export async function whatIsThere(
  path: string,
  { fileId, sizeBytes, files }: FoundFile,
  { overwrite, adopt = false, onlyEarlier = false }: PlanOptions,
  { contentAt, versions }: Looking,
): Promise<Answer<Decision | undefined>> {
  const there = await lstat(path).catch(() => undefined)
  if (there === undefined || !(files === undefined ? there.isFile() : there.isDirectory()))
    return accept(undefined)
  // A person says so, and a file is but one.
  if (files === undefined && overwrite && !adopt && !onlyEarlier) return accept({ kind: 'replace' })
  // A folder is read as a whole only when that may lead to something.
  const mayBeSame = (files === undefined && there.size === sizeBytes) || overwrite || adopt
  const content = mayBeSame ? await contentAt(path) : undefined
  if (content?.ok === true && content.value.manifest.fileId === fileId)
    return accept({ kind: 'adopt', content: content.value })
  if (adopt) return content?.ok === false ? content : refuse('local-file', `${path} has another content`)
  if (!overwrite) return refuse('local-file', `${path} exists; choose another name, or add --overwrite`)
  if (content === undefined || !content.ok) return content ?? accept(undefined)
  const { manifest, tree } = content.value
  const known = await versions()
  if (!known.ok) return known
  if (!known.value.some((version) => version.fileId === manifest.fileId))
    return refuse(
      'local-file',
      `${path} is no earlier version as it was, so it is not replaced; move it away, or choose another name`,
    )
  if (tree === undefined) return accept({ kind: 'replace', content: content.value })
  const folder = { id: idOf(there), tree: hash('sha256', tree) }
  return accept({ kind: 'replace', folder, content: content.value })
}

/** SHA-256 of the tree of the folder at this path now, hex; undefined where there is none that could be shared. */
export async function treeOf(folders: FolderPool, path: string): Promise<string | undefined> {
  const scan = await folders.scan(path, { skipSpecial: false, apart: [] })
  return scan.ok ? hash('sha256', scan.value.tree) : undefined
}
