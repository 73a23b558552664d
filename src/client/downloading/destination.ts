// Where a download may go: from the words of a person to a path that can be written to, or a refusal.

import type { Stats } from 'node:fs'
import { lstat, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { accept, refuse, type Answer } from '../../common/refusal.ts'

/** Bytes of a name that every file system takes (255), less those of `.part`. */
const nameBytesMax = 250

/** The final path for a destination; a folder means that folder and the file's own name. */
export async function placeFor(
  destination: string,
  name: string,
  overwrite: boolean,
): Promise<Answer<string>> {
  const isFolder = (await looksLike(destination))?.isDirectory() === true
  if (!isFolder && /[/\\]$/.test(destination))
    return refuse('local-file', `there is no folder ${destination}`)
  const path = isFolder ? join(resolve(destination), name) : resolve(destination)
  if (Buffer.byteLength(basename(path)) > nameBytesMax) {
    return refuse('local-file', `the name ${basename(path)} is too long for .part to be added to it`)
  }
  if ((await looksLike(dirname(path)))?.isDirectory() !== true) {
    return refuse('local-file', `there is no folder ${dirname(path)}`)
  }
  return checkFree(path, overwrite)
}

async function checkFree(path: string, overwrite: boolean): Promise<Answer<string>> {
  const file = await looksLike(path)
  if (file?.isDirectory() === true) return refuse('local-file', `${path} is a folder`)
  if (file !== undefined && !overwrite) {
    return refuse('local-file', `${path} exists; choose another name, or add --overwrite`)
  }
  const link = await lstat(path).catch(() => undefined)
  if (file === undefined && link !== undefined) return refuse('local-file', `${path} is a link to nothing`)
  const part = await lstat(`${path}.part`).catch(() => undefined)
  if (part?.isFile() === false) {
    return refuse('local-file', `${basename(path)}.part is in the way and is no regular file`)
  }
  return accept(path)
}

/** Refuses what the disk has no room for now; one that fills up later pauses the download. */
export async function checkRoom(path: string, sizeBytes: number): Promise<Answer<void>> {
  const freeBytes = await freeBytesFor(path)
  if (freeBytes >= sizeBytes) return accept(undefined)
  return refuse('local-file', `the disk of ${path} has ${freeBytes} bytes free; the file needs ${sizeBytes}`)
}

/** Bytes that are free where the file at this path is, or would be. Rejects with the system's error. */
export async function freeBytesFor(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(dirname(path))
  return bavail * bsize
}

/** What is at this path, links followed; undefined when there is nothing to be seen. */
async function looksLike(path: string): Promise<Stats | undefined> {
  return stat(path).catch(() => undefined)
}
