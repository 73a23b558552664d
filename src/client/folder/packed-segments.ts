// The parts of a piece as they pass between threads: one text and some numbers instead of an object for each of what may
// be thousands of small files. As such they are read with one call in C, where that is there.

import type { FolderStamps } from './folder-stamps.ts'
import { readSegments, type DiskSegment, type SegmentFault } from './read-segments.ts'
import { smallFiles } from './small-files.ts'

export interface PackedSegments {
  /** The paths, with a NUL between them, which no path has. */
  readonly paths: string
  /** For each its offset and its length. */
  readonly places: Float64Array
}

export function packSegments(segments: readonly DiskSegment[]): PackedSegments {
  const places = new Float64Array(2 * segments.length)
  for (const [at, { offset, length }] of segments.entries()) {
    places[2 * at] = offset
    places[2 * at + 1] = length
  }
  return { paths: segments.map(({ path }) => path).join('\0'), places }
}

export function unpackSegments({ paths, places }: PackedSegments): DiskSegment[] {
  if (places.length === 0) return []
  return paths
    .split('\0')
    .map((path, at) => ({ path, offset: places[2 * at] ?? 0, length: places[2 * at + 1] ?? 0 }))
}

/** How many these are. */
export function segmentCount({ places }: PackedSegments): number {
  return places.length / 2
}

/** Of all together. */
export function bytesIn({ places }: PackedSegments): number {
  let bytes = 0
  for (let at = 1; at < places.length; at += 2) bytes += places[at] ?? 0
  return bytes
}

/** See `readSegments`. `readFiles` is for tests. */
export function readPacked(
  root: string,
  packed: PackedSegments,
  stamps: FolderStamps,
  buffer: Uint8Array,
  readFiles = smallFiles?.readFiles,
): SegmentFault[] {
  const odd = new Uint8Array(segmentCount(packed))
  if (readFiles !== undefined && odd.length > 0) {
    const [from, paths] = [root, packed.paths].map((text) => Buffer.from(`${text}\0`)) as [Buffer, Buffer]
    if (readFiles(from, paths, packed.places, stamps, buffer, odd) === 0) return []
  }
  // What is wrong with some of them is found out here.
  return readSegments(root, unpackSegments(packed), stamps, buffer)
}
