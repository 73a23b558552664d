// Puts a filled folder in the place of the one that it replaces: the old one steps aside, the new one gets its name, and
// the old one goes. A kill in between is made good by the next run, before it does anything else.

import { execFile } from 'node:child_process'
import { constants, type Stats } from 'node:fs'
import { lstat, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Failure } from '../../common/failure.ts'
import type { ReplacedFolder } from './already-there.ts'
import { fileFailure, idOf, isThatPart, partPathOf, type PartId } from './part-file.ts'

export interface Swap {
  readonly destination: string
  readonly replaces: ReplacedFolder
  /** SHA-256 of the tree of a folder now, hex; undefined where it has none. */
  readonly treeAt: (path: string) => Promise<string | undefined>
  /** What of the new folder may not be on the disk: paths of files and folders; all of it where that is not given. */
  readonly made?: readonly string[] | undefined
}

/** Where a folder is filled before it gets the name of the destination. */
export function unpackPathOf(destination: string): string {
  return partPathOf(`${destination}.unpacking`)
}

/** Where a folder that is replaced is until the new one has its name. */
function replacedPathOf(destination: string): string {
  return partPathOf(`${destination}.replaced`)
}

/** The old folder is at the destination, the new one where it was filled. Rejects with a failure, or the system's error. */
export async function swapFolders({ destination, replaces, treeAt, made }: Swap): Promise<void> {
  const target = unpackPathOf(destination)
  const aside = replacedPathOf(destination)
  await checkAside(destination)
  // A power failure must leave the old folder or the new one.
  await (made === undefined ? flushFolder(target) : flushAll(made))
  await rename(destination, aside)
  try {
    // Looked at when nobody reaches it by its name any more.
    if ((await treeAt(aside)) !== replaces.tree)
      throw new Failure(
        'file',
        `${destination} was changed, and is not replaced; move it away and type resume_download`,
      )
    await rename(target, destination)
  } catch (error) {
    // Where somebody has put something there meanwhile, it stays aside until that is gone.
    await rename(aside, destination).catch(() => undefined)
    throw error
  }
  await removeOld(destination, aside)
}

/**
 * Rejects with a `file` failure when something is where the old folder steps aside: until that is gone, no new folder is
 * begun, since `settleSwap` takes what is beside it for a complete one.
 */
export async function checkAside(destination: string): Promise<void> {
  const aside = replacedPathOf(destination)
  if ((await lookAt(aside)) !== undefined) throw new Failure('file', `${aside} is in the way; move it away`)
}

/** A download that may have been interrupted in the middle of it. */
export interface InterruptedSwap {
  readonly destination: string
  /** The new folder, as it was filled. */
  readonly unpacked?: PartId | undefined
  readonly replaces?: ReplacedFolder | undefined
}

/**
 * Ends a swap that was interrupted before the new folder had the name. `keeps`: which is to have it; it is the old one
 * anyway where somebody has changed that. Rejects with a `file` failure.
 */
export async function settleSwap(
  { destination, unpacked, replaces }: InterruptedSwap,
  treeAt: Swap['treeAt'],
  keeps: 'old' | 'new',
): Promise<void> {
  if (unpacked === undefined || replaces === undefined) return
  const [aside, target] = [replacedPathOf(destination), unpackPathOf(destination)]
  try {
    if (!(await isThat(aside, replaces.id))) return
    if ((await lookAt(destination)) === undefined) {
      const isNew =
        keeps === 'new' && (await isThat(target, unpacked)) && (await treeAt(aside)) === replaces.tree
      await rename(isNew ? target : aside, destination)
    }
    if (await isThat(destination, unpacked)) await removeOld(destination, aside)
  } catch (error) {
    throw fileFailure(`cannot write ${destination}`, error)
  }
}

/** Whether what is at this path, and not behind a link there, has this id. */
export async function isThat(path: string, id: PartId): Promise<boolean> {
  const there = await lookAt(path)
  return there !== undefined && !there.isSymbolicLink() && isThatPart(idOf(there), id)
}

/** Flushes wait for commits of the file system, which are shared by those that wait at the same time. */
const flushedAtOnce = 8

/** Brings these files and folders to the disk. Rejects with the system's error. */
async function flushAll(paths: readonly string[]): Promise<void> {
  const waiting = paths.values()
  const flushNext = async (): Promise<void> => {
    for (const path of waiting) await sync(path)
  }
  await Promise.all(Array.from({ length: flushedAtOnce }, flushNext))
}

/** Beyond this many files, flushing the whole file system is faster than flushing one after the other. */
const flushedOneByOneMax = 500

/** Brings all that is below a folder to the disk, and the names in it. Rejects with the system's error. */
export async function flushFolder(path: string): Promise<void> {
  const below = await readdir(path, { withFileTypes: true, recursive: true })
  // 100,000 files take minutes one by one, as each waits for a commit of the file system.
  if (below.length > flushedOneByOneMax && (await flushFileSystem(path))) return
  const named = below.filter((entry) => entry.isDirectory() || entry.isFile())
  await flushAll([...named.map((entry) => join(entry.parentPath, entry.name)), path])
}

/** Node has no call for it. Resolves to false where there is no such program, or it fails. */
function flushFileSystem(path: string): Promise<boolean> {
  return new Promise((resolve) => execFile('sync', ['-f', path], (error) => resolve(error === null)))
}

/** Brings the name of a file or folder to the disk. Rejects with the system's error. */
export async function flushName(path: string): Promise<void> {
  await sync(dirname(path))
}

export async function lookAt(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(() => undefined)
}

async function removeOld(destination: string, aside: string): Promise<void> {
  await flushName(destination)
  await rm(aside, { recursive: true })
}

async function sync(path: string): Promise<void> {
  const opened = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}
