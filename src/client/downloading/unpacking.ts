// Gives a complete folder its final name: fills a folder beside the destination from the part file, and renames it when
// all is in it. So nothing is ever half there. A kill leaves the part file and that folder, which the next run makes
// anew; or the folder under its name, which the next run knows by its id.

import { constants, type Stats } from 'node:fs'
import { chmod, lstat, mkdir, open, readdir, rename, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure, systemCode } from '../../common/failure.ts'
import type { FolderFacts } from '../../common/manifest.ts'
import { runUnpacking } from '../workers/unpack-thread.ts'
import { unpack, type UnpackTask } from '../workers/unpack.ts'
import { fileFailure, idOf, isThatPart, partPathOf, type PartFile, type PartId } from './part-file.ts'
import { existsNow } from './publishing.ts'

/** Where a folder is filled before it gets the name of the destination. */
function unpackPathOf(destination: string): string {
  return partPathOf(`${destination}.unpacking`)
}

export interface Unpacking {
  readonly part: PartFile
  readonly folder: FolderFacts
  readonly destination: string
  /** Resolves when the tree is that of the pieces; rejects when not. */
  readonly check: () => Promise<void>
  /** The folder that an earlier run filled. */
  readonly known: PartId | undefined
  /** The folder that is filled; resolves when that is remembered. */
  readonly onMade: (id: PartId) => Promise<void>
}

/**
 * Returns undefined when somebody else wrote to the part file: nothing was done, and it must be verified again. `flushed`
 * resolves when all has reached the disk. Rejects with a `file` failure, or a `protocol` one for a tree that is none.
 */
export async function publishFolder(unpacking: Unpacking): Promise<{ flushed: Promise<void> } | undefined> {
  const { part, folder, destination, known, check, onMade } = unpacking
  const target = unpackPathOf(destination)
  await part.settled()
  await part.checkInPlace()
  if (!part.isReady()) return undefined
  try {
    await check()
    await clear(target, known)
    // Nobody else may put anything into it before it has its name.
    await mkdir(target, 0o700)
    await onMade(idOf(await lstat(target)))
    await fill({ source: part.descriptor, treeBytes: folder.treeBytes, target }, folder)
    await part.settled()
    if (!part.isReady()) {
      await rm(target, { recursive: true })
      return undefined
    }
    await chmod(target, 0o777 & ~process.umask())
    if ((await lookAt(destination)) !== undefined) throw existsNow(destination)
    await rename(target, destination)
    await part.remove()
  } catch (error) {
    throw isTaken(error) ? existsNow(destination, error) : fileFailure(`cannot write ${destination}`, error)
  }
  // It may reject before anyone listens, and an unhandled rejection ends the program.
  const flushed = flush(destination)
  flushed.catch(() => undefined)
  return { flushed }
}

/** A folder of so few bytes is filled in a moment; starting a thread takes longer. */
const fewBytes = 2 * 1024 * 1024
const fewTreeBytes = 4 * 1024

async function fill(task: UnpackTask, { offsets }: FolderFacts): Promise<void> {
  if (task.treeBytes <= fewTreeBytes && (offsets.at(-1) ?? Infinity) <= fewBytes) unpack(task)
  else await runUnpacking(task)
}

/** Whether the folder that was filled has its final name already. */
export async function isUnpacked(destination: string, known: PartId | undefined): Promise<boolean> {
  if (known === undefined) return false
  const there = await lookAt(destination)
  return there?.isDirectory() === true && isThatPart(idOf(there), known)
}

/** Removes what was filled and has no final name. Rejects with a `file` failure. */
export async function removeUnpacked(destination: string, known: PartId | undefined): Promise<void> {
  if (known === undefined) return
  const target = unpackPathOf(destination)
  await clear(target, known).catch((error: unknown) => {
    throw fileFailure(`cannot remove ${target}`, error)
  })
}

/** Removes what an earlier run left; what somebody else put there stays, and is refused. */
async function clear(target: string, known: PartId | undefined): Promise<void> {
  const there = await lookAt(target)
  if (there === undefined) return
  if (there.isDirectory() && known !== undefined && isThatPart(idOf(there), known)) {
    await rm(target, { recursive: true })
    return
  }
  // A kill before it was remembered leaves an empty one.
  await rmdir(target).catch((error: unknown) => {
    throw new Failure('file', `${target} is in the way; move it away`, error)
  })
}

/** Brings all that is below a folder to the disk, and the folder's name. Rejects with the system's error. */
async function flush(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const below = join(path, entry.name)
    if (entry.isDirectory()) await flush(below)
    else if (entry.isFile()) await sync(below)
  }
  await sync(path)
}

async function sync(path: string): Promise<void> {
  const opened = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}

async function lookAt(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined)
}

function isTaken(error: unknown): boolean {
  return ['ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(systemCode(error) ?? '')
}
