// Resolves a destination given by a person to a path that can be written to, or refuses it. Claims the path
// and checks for free space.

import type { Stats } from 'node:fs'
import { lstat, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure, systemCode } from '../../common/failure.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { formatSize } from '../../common/sizes.ts'
import { claimPart, partPathOf, type PartId } from './part-file.ts'

/** The longest file name that every file system accepts, in bytes. */
const nameBytesMax = 255

/** The final path for a destination; a folder means the file's own name in that folder. */
export async function placeFor(
  destination: string,
  name: string,
  overwrite: boolean,
): Promise<Answer<string>> {
  if (destination === '') return refuse('local-file', 'the destination is missing')
  const isFolder = (await looksLike(destination))?.isDirectory() === true
  if (!isFolder && /[/\\]$/.test(destination))
    return refuse('local-file', `there is no folder ${destination}`)
  const path = await pathFor(destination, name)
  if (Buffer.byteLength(basename(path)) > nameBytesMax) {
    return refuse('local-file', `the name ${basename(path)} is longer than ${nameBytesMax} bytes`)
  }
  const folder = await looksLike(dirname(path))
  if (folder === undefined) return refuse('local-file', `there is no folder ${dirname(path)}`)
  if (!folder.isDirectory()) return refuse('local-file', `${dirname(path)} is a file, not a folder`)
  return checkFree(path, overwrite)
}

/** Where it goes: into a folder that is there, under its own name, or to the destination itself. */
export async function pathFor(destination: string, name: string): Promise<string> {
  const path = resolve(destination)
  return (await looksLike(path))?.isDirectory() === true ? join(path, name) : path
}

async function checkFree(path: string, overwrite: boolean): Promise<Answer<string>> {
  const there = await lstat(path).catch(() => undefined)
  const file = there?.isSymbolicLink() === true ? await looksLike(path) : there
  if (there === undefined) return accept(path)
  if (file === undefined)
    return refuse('local-file', `${path} is a link that leads nowhere; choose another name`)
  if (file.isDirectory()) return refuse('local-file', `${path} is a folder; choose another name`)
  if (there.isSymbolicLink())
    return refuse('local-file', `${path} is a link; name the file that it leads to, or another one`)
  if (!there.isFile()) return refuse('local-file', `${path} is not a regular file; choose another name`)
  if (!overwrite) return refuse('local-file', `${path} exists; choose another name, or add --overwrite`)
  return accept(path)
}

/**
 * Creates the part file, which claims this path against other programs and against another download that
 * reaches the same folder by a different path. Refuses when the name is taken or cannot be written.
 */
export async function claimPlace(path: string): Promise<Answer<PartId>> {
  try {
    return accept(await claimPart(path))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    const isTaken = systemCode(error.cause) === 'EEXIST'
    const sentence = `${basename(partPathOf(path))} exists already; remove it, or choose another name`
    return refuse('local-file', isTaken ? sentence : error.message)
  }
}

/** Refuses a file that the disk has no room for now; a disk that fills up later pauses the download. */
export async function checkRoom(path: string, sizeBytes: number): Promise<Answer<void>> {
  const freeBytes = await freeBytesFor(path)
  if (freeBytes >= sizeBytes) return accept(undefined)
  if (await isMadeBySystem(path))
    return refuse('local-file', `no file can be made in ${dirname(path)}; choose another folder`)
  return refuse(
    'local-file',
    `the disk of ${path} has ${formatSize(freeBytes)} free, and the file needs ${formatSize(sizeBytes)}; free some space`,
  )
}

/** Free bytes on the disk where the file at this path is, or would be. Rejects with the system's error. */
export async function freeBytesFor(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(dirname(path))
  return bavail * bsize
}

/** Whether the path is on no disk, as in /proc. Rejects with the system's error. */
async function isMadeBySystem(path: string): Promise<boolean> {
  return (await statfs(dirname(path))).blocks === 0
}

/** Stats this path, following links; undefined when nothing can be seen there. */
async function looksLike(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined)
}
