// The files of a folder on this machine, by the entries of its tree: where they are, and their stamps now.

import { lstatSync, type BigIntStats } from 'node:fs'
import { systemCode } from '../../common/failure.ts'
import type { TreeEntry } from '../../common/tree/tree.ts'
import { emptyStamps, setStamp, type FolderStamps, type Spellings } from './folder-stamps.ts'

/** Entries whose stamps are taken between two stops, which takes a millisecond. */
const stampsAtOnce = 200

/**
 * The stamps of all files at `root` now: zeros for what is not there, or is no regular file. Stops every now and then.
 */
export function* stampsAt(
  root: string,
  entries: readonly TreeEntry[],
  spellings: Spellings,
): Generator<void, FolderStamps> {
  const stamps = emptyStamps(entries.length)
  const onDisk = new Map(spellings)
  for (const [index, { path, kind }] of entries.entries()) {
    if (index % stampsAtOnce === stampsAtOnce - 1) yield
    if (kind === 'folder') continue
    const stats = lookAt(`${root}/${onDisk.get(path) ?? path}`)
    if (stats?.isFile() === true) setStamp(stamps, index, stats)
  }
  return stamps
}

/** Undefined for what cannot be looked at. */
function lookAt(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true })
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return undefined
  }
}
