// Gives a complete part file its final name. The order of the steps is what makes it safe to be killed
// between any two of them:
//
//   with overwrite      flush, take over the mode, check, rename
//   without             check, link, remove the name of the part, flush
//
// A hard link fails where a rename would replace. A kill before the name leaves the part file, which is
// verified and named by the next run; a kill behind it leaves the file, which the next run recognises.

import { constants, type Stats } from 'node:fs'
import { link, lstat, open, rename, rm, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Failure, systemCode } from '../../common/failure.ts'

export interface Naming {
  /** The open part file. */
  readonly file: FileHandle
  /** Its present name. */
  readonly path: string
  readonly destination: string
  readonly overwrite: boolean
  /** Called right before the name is given: false when somebody else has written to the file. */
  readonly finish: () => boolean
}

/**
 * Undefined when somebody else wrote to the file: then it has no new name. Rejects with a `file` failure
 * when the destination is taken, or with the system's error.
 */
export async function giveFinalName(naming: Naming): Promise<{ flushed: Promise<void> } | undefined> {
  if (naming.overwrite) return replace(naming)
  if (!naming.finish()) return undefined
  await linkToNew(naming)
  // It may fail before anybody listens, and a failure that nobody listens to ends the program.
  const flushed = flush(naming)
  flushed.catch(() => undefined)
  return { flushed }
}

async function replace(naming: Naming): Promise<{ flushed: Promise<void> } | undefined> {
  const { file, path, destination } = naming
  // Before the old file goes: a power failure must leave the old one or the new one.
  await file.sync()
  const old = await lookAt(destination)
  if (old !== undefined && !old.isFile())
    throw new Failure('file', `${destination} is no regular file any more; it was not overwritten`)
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
      // The program may have ended between the two steps: then the file has both names already.
      if (!(await isSame(naming, destination))) throw existsNow(naming, error)
    } else if (hasNoLinks(error)) {
      return renameToNew(naming)
    } else throw error
  }
  await checkName(naming)
  await rm(path)
}

/** On a file system without hard links: as good as it can be had there. */
async function renameToNew(naming: Naming): Promise<void> {
  const { path, destination } = naming
  if ((await lookAt(destination)) !== undefined) throw existsNow(naming)
  await rename(path, destination)
  await checkName(naming)
}

/** Somebody may have put another file in the place of the part in the last moment. */
async function checkName(naming: Naming): Promise<void> {
  const { destination, path } = naming
  if (await isSame(naming, destination)) return
  const [named, part] = await Promise.all([lookAt(destination), lookAt(path)])
  // Linked a moment ago by this program: that name is taken back, and the file keeps its other one.
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

function existsNow({ destination }: Naming, cause?: unknown): Failure {
  return new Failure('file', `${destination} exists now; it was not overwritten`, cause)
}

/** What has this name, links not followed; undefined when nothing has. */
async function lookAt(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined)
}
