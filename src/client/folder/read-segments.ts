// Reads a piece from the files that it consists of, and says which of them are not what they were. No link inside the
// folder is followed: a file that was put in the place of another is read only where no link leads to it.

import { closeSync, constants, fstatSync, lstatSync, openSync, type BigIntStats } from 'node:fs'
import { open } from 'node:fs/promises'
import { systemCode } from '../../common/failure.ts'
import { isStampOf, type FolderStamps } from './folder-stamps.ts'
import { readUpTo } from './read-up-to.ts'

/** A part of a piece: these bytes of a file, whose path within the folder is as on disk. */
export interface DiskSegment {
  readonly path: string
  readonly offset: number
  readonly length: number
}

/** `changed`: it was read, but its stamp is another; `lost`: it is not there, shorter, or cannot be read. */
export interface SegmentFault {
  readonly segment: number
  readonly state: 'changed' | 'lost'
}

/** Segments of a piece that are read at once by promises. */
const readAtOnce = 16

const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Fills the start of `buffer`. `stamps`: those that the files of the segments should have, in their order. Throws the
 * system's error when too many files are open. Blocks: for threads, and for a few small files.
 */
export function readSegments(
  root: string,
  segments: readonly DiskSegment[],
  stamps: FolderStamps,
  buffer: Uint8Array,
): SegmentFault[] {
  const faults: SegmentFault[] = []
  let at = 0
  for (const [segment, { path, offset, length }] of segments.entries()) {
    const state = stateOf(
      () => readOne(`${root}/${path}`, offset, buffer.subarray(at, at + length)),
      root,
      path,
      {
        stamps,
        segment,
      },
    )
    if (state !== undefined) faults.push({ segment, state })
    at += length
  }
  return faults
}

/** Likewise, and does not block. Rejects as that throws. */
export async function readSegmentsLater(
  root: string,
  segments: readonly DiskSegment[],
  stamps: FolderStamps,
  buffer: Uint8Array,
): Promise<SegmentFault[]> {
  const faults: SegmentFault[] = []
  let at = 0
  const parts = segments.map(({ length }) => buffer.subarray(at, (at += length)))
  const rest = segments.entries()
  const readNext = async (): Promise<void> => {
    for (const [segment, { path, offset }] of rest) {
      const read = await readOneLater(
        `${root}/${path}`,
        offset,
        parts[segment] ?? buffer.subarray(0, 0),
      ).then(
        (found) => () => found,
        (error: unknown) => () => {
          throw error
        },
      )
      const state = stateOf(read, root, path, { stamps, segment })
      if (state !== undefined) faults.push({ segment, state })
    }
  }
  // The lanes share one iterator.
  await Promise.all(Array.from({ length: readAtOnce }, readNext))
  return faults
}

/** What was found of a file that was read. */
interface Found {
  /** After reading: a later write cannot have changed what was read. */
  readonly stats: BigIntStats
  readonly bytesRead: number
  readonly length: number
}

function readOne(path: string, offset: number, into: Uint8Array): Found {
  const file = openSync(path, flags)
  try {
    const bytesRead = readUpTo(file, into, offset)
    return { stats: fstatSync(file, { bigint: true }), bytesRead, length: into.length }
  } finally {
    closeSync(file)
  }
}

async function readOneLater(path: string, offset: number, into: Uint8Array): Promise<Found> {
  const file = await open(path, flags)
  try {
    const { bytesRead } = await file.read(into, 0, into.length, offset)
    return { stats: await file.stat({ bigint: true }), bytesRead, length: into.length }
  } finally {
    await file.close()
  }
}

/** What is wrong with what was read; undefined for nothing. */
function stateOf(
  read: () => Found,
  root: string,
  path: string,
  { stamps, segment }: { stamps: FolderStamps; segment: number },
): SegmentFault['state'] | undefined {
  try {
    const { stats, bytesRead, length } = read()
    if (bytesRead < length || stats.nlink === 0n || !stats.isFile()) return 'lost'
    if (isStampOf(stamps, segment, stats)) return undefined
    return hasLink(root, path) ? 'lost' : 'changed'
  } catch (error) {
    const code = systemCode(error)
    // Too many open files says nothing about this one.
    if (code === undefined || code === 'EMFILE' || code === 'ENFILE') throw error
    return 'lost'
  }
}

/** Whether a link leads to the file. Throws the system's error for what is not there. */
function hasLink(root: string, path: string): boolean {
  const names = path.split('/')
  return names.some((_, depth) =>
    lstatSync(`${root}/${names.slice(0, depth + 1).join('/')}`).isSymbolicLink(),
  )
}
