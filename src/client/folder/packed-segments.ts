// The parts of a piece as they pass between threads: one text and some numbers instead of an object for each of what may
// be thousands of small files.

import type { DiskSegment } from './read-segments.ts'

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
