// By what a file is recognised as unchanged without reading it: size, times, and which file it is.

import type { BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'

/** Text, so that it can be kept and compared as it is. */
export type FileStamp = string

export function stampOf(stats: BigIntStats): FileStamp {
  return [stats.dev, stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join(':')
}

/** Whether both stamps are of one file, whatever was done to it. */
export function isOfSameFile(a: FileStamp, b: FileStamp): boolean {
  const [device, inode] = a.split(':')
  return b.startsWith(`${device}:${inode}:`)
}

/** The size in bytes that a stamp tells. */
export function sizeOf(stamp: FileStamp): number {
  return Number(stamp.split(':')[2])
}

/** The stamp of the file at this path now; undefined when there is no file. */
export async function stampAt(path: string): Promise<FileStamp | undefined> {
  try {
    return stampOf(await stat(path, { bigint: true }))
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined
    throw new Failure('file', `cannot look at ${path}: ${sentenceOf(error)}`, error)
  }
}
