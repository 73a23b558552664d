// Gives a complete part file its final name. The order of the steps makes it safe to kill the program between
// any two of them:
//
//   with overwrite      flush, take over the mode, check, rename
//   without             check, link, remove the name of the part, flush
//
// A hard link fails where a rename would replace. A kill before the naming leaves the part file, which the
// next run verifies and names; a kill after it leaves the final file, which the next run recognizes.

import { constants, type Stats } from 'node:fs'
import { link, lstat, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Failure, systemCode } from '../../common/failure.ts'

export interface Naming {
  /** The open part file. */
  readonly file: FileHandle
  /** Its current name. */
  readonly path: string
  readonly destination: string
  readonly overwrite: boolean
  /** Called right before the naming; returns false when someone else has written to the file. */
  readonly finish: () => boolean
}

/**
 * Returns undefined when someone else wrote to the file, which then keeps its old name. Rejects with a `file`
 * failure when the destination is taken, or with the system's error.
 */
export async function giveFinalName(naming: Naming): Promise<{ flushed: Promise<void> } | undefined> {
  if (naming.overwrite) return replace(naming)
  if (!naming.finish()) return undefined
  await linkToNew(naming)
  // It may reject before anyone listens, and an unhandled rejection ends the program.
  const flushed = flush(naming)
  flushed.catch(() => undefined)
  return { flushed }
}

async function replace(naming: Naming): Promise<{ flushed: Promise<void> } | undefined> {
  const { file, path, destination } = naming
  // Flush before the old file goes: a power failure must leave either the old file or the new one.
  await file.sync()
  const old = await lookAt(destination)
  if (old !== undefined && !old.isFile())
    throw new Failure('file', `${destination} is no longer a regular file; it was not overwritten`)
  if (old !== undefined) await file.chmod(old.mode & 0o777)
  if (!naming.finish()) return undefined
  await rename(path, destination)
  await checkName(naming)
  return { flushed: flushFolder(destination) }
}

async function linkToNew(naming: Naming): Promise<void> {
  const { path, destination } = naming
  try {
    await link(path, destination)
  } catch (error) {
    if (systemCode(error) === 'EEXIST') {
      // An earlier run may have ended between the two steps: then the file already has both names.
      if (!(await isSame(naming, destination))) throw existsNow(destination, error)
    } else if (hasNoLinks(error)) {
      return renameToNew(naming)
    } else throw error
  }
  await checkName(naming)
  await rm(path)
}

/** The best possible on a file system without hard links: another program may still come in between. */
async function renameToNew(naming: Naming): Promise<void> {
  const { path, destination } = naming
  if ((await lookAt(destination)) !== undefined) throw existsNow(destination)
  await rename(path, destination)
  await checkName(naming)
}

/** Rejects if someone replaced the part file by another file at the last moment. */
async function checkName(naming: Naming): Promise<void> {
  const { destination, path } = naming
  if (await isSame(naming, destination)) return
  const [named, part] = await Promise.all([lookAt(destination), lookAt(path)])
  // This program just made that link: remove it; the file keeps its other name.
  if (named !== undefined && named.ino === part?.ino && named.dev === part.dev) await rm(destination)
  throw new Failure('file', `${path} was replaced by another file`)
}

async function isSame({ file }: Naming, path: string): Promise<boolean> {
  const [opened, named] = await Promise.all([file.stat(), lookAt(path)])
  return named !== undefined && named.ino === opened.ino && named.dev === opened.dev
}

async function flush({ file, destination }: Naming): Promise<void> {
  await file.sync()
  await flushFolder(destination)
}

async function flushFolder(destination: string): Promise<void> {
  const opened = await open(dirname(destination), constants.O_RDONLY)
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}

function hasNoLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(systemCode(error) ?? '')
}

/** Somebody has put something where the file or folder shall be. */
export function existsNow(destination: string, cause?: unknown): Failure {
  return new Failure(
    'file',
    `${destination} exists by now, and was not overwritten; move it away and type resume_download, or cancel_download`,
    cause,
  )
}

/** Stats this name without following links; undefined when nothing has it. */
async function lookAt(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined)
}
