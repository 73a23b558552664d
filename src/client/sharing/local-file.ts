// Checks a file or folder that a person wants to share, and hashes a file.

import { accessSync, constants, statSync, type BigIntStats } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { pieceBytes, pieceCountMax } from '../../common/limits.ts'
import { buildManifest, type Manifest } from '../../common/manifest.ts'
import { fileNameProblem } from '../../common/names.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { sizeOf, stampAt, stampOf, type FileStamp } from './file-stamp.ts'

/** For how long a folder that answered is believed to answer at once. */
const believedMs = 1000

/** The folder of the file that was looked at last by a thread, and when it answered. */
let answered = { folder: '', atMs: -Infinity }

export interface LocalFile {
  readonly isFolder: boolean
  readonly stamp: FileStamp
}

/** Checks it before it is read. Refuses, with the reason, what cannot be shared under this name. */
export async function lookAtLocal(path: string, name: string): Promise<Answer<LocalFile>> {
  const problem = fileNameProblem(name)
  if (problem !== undefined) return refuse('bad-name', problem)
  try {
    const stats = await statsOf(path)
    const isFolder = stats.isDirectory()
    if (!isFolder && !stats.isFile()) return refuse('local-file', `${path} is not a regular file`)
    // At once: the system has just looked at it.
    accessSync(path, constants.R_OK)
    if (!isFolder && stats.size === 0n && (await hasContent(path)))
      return refuse('local-file', `${path} is made by the system while it is read; share a copy of it`)
    if (!isFolder && stats.size > pieceCountMax * pieceBytes)
      return refuse('local-file', `${path} is larger than 128 GiB`)
    return accept({ isFolder, stamp: stampOf(stats) })
  } catch (error) {
    return refuse('local-file', unreadable(path, error))
  }
}

/** The manifest of a file. Refuses one that changes while it is read. */
export async function hashUnchanged(
  path: string,
  stamp: FileStamp,
  hash: () => Promise<Uint8Array>,
  look: (path: string) => Promise<FileStamp | undefined> | FileStamp | undefined = stampAt,
): Promise<Answer<Manifest>> {
  try {
    const hashes = await hash()
    if ((await look(path)) !== stamp)
      return refuse('file-changed', `${path} changed while it was read; try again`)
    return accept(buildManifest(sizeOf(stamp), hashes))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    return refuse('local-file', error.message)
  }
}

function unreadable(path: string, error: unknown): string {
  const code = systemCode(error)
  const isMissing = code === 'ENOENT' || code === 'ENOTDIR'
  if (isMissing && path.includes('\ufffd'))
    return `a name that is not valid UTF-8 cannot be typed; rename the file ${path}`
  if (isMissing) return `there is no file ${path}`
  if (code === 'ELOOP') return `${path} is a link that leads back to itself`
  if (code === 'EACCES') return `${path} cannot be read: permission denied`
  if (error instanceof Failure) return error.message
  if (code === undefined) throw error
  // For instance a name that is too long, or a failing disk.
  return `${path} cannot be read: ${sentenceOf(error)}`
}

/** Whether it can be read although its size is 0, like the files of /proc. */
async function hasContent(path: string): Promise<boolean> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    return (await file.read(Buffer.alloc(1), 0, 1, 0)).bytesRead > 0
  } finally {
    await file.close()
  }
}

/**
 * What the system says of a file. A thread asks, since one on a server that is gone may take minutes; but not again while
 * a script shares one file of a folder after the other: the ways to the thread and back take ten times longer than that.
 */
async function statsOf(path: string): Promise<BigIntStats> {
  const folder = dirname(path)
  if (folder === answered.folder && performance.now() - answered.atMs < believedMs)
    return statSync(path, { bigint: true })
  const stats = await stat(path, { bigint: true })
  answered = { folder, atMs: performance.now() }
  return stats
}
