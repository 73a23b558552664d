// Stamps: device, inode, size and times, by which an unchanged file is recognised without reading it.

import { statSync, type BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'

/** Text, so that it can be stored and compared directly. */
export type FileStamp = string

export function stampOf(stats: BigIntStats): FileStamp {
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':')
}

/** Whether both stamps belong to the same file, changed or not. */
export function isOfSameFile(a: FileStamp, b: FileStamp): boolean {
  const [device, inode] = a.split(':')
  return b.startsWith(`${device}:${inode}:`)
}

/** The size in a stamp, in bytes. */
export function sizeOf(stamp: FileStamp): number {
  return Number(stamp.split(':')[2])
}

/** The stamp of the file at this path now; undefined when there is no file. */
export async function stampAt(path: string): Promise<FileStamp | undefined> {
  try {
    return stampOf(await stat(path, { bigint: true }))
  } catch (error) {
    return unlessThere(path, error)
  }
}

/** The same, but blocks: for a file that was just read. */
export function stampNow(path: string): FileStamp | undefined {
  try {
    return stampOf(statSync(path, { bigint: true }))
  } catch (error) {
    return unlessThere(path, error)
  }
}

function unlessThere(path: string, error: unknown): undefined {
  if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
  throw new Failure('file', `cannot look at ${path}: ${sentenceOf(error)}`, error)
}
