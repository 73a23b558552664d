// Which regions of a file that is here are looked through, and in which windows.

/** From one byte up to another one. */
export type Region = readonly [from: number, to: number]

/** What these do not cover of the first `sizeBytes` bytes. They come in any order, and may overlap. */
export function uncovered(covered: readonly Region[], sizeBytes: number): Region[] {
  const rest: Region[] = []
  let end = 0
  for (const [from, to] of covered.toSorted(([one], [other]) => one - other)) {
    if (from > end) rest.push([end, from])
    end = Math.max(end, to)
  }
  if (end < sizeBytes) rest.push([end, sizeBytes])
  return rest
}

/** Likewise, with so many bytes more on both sides, where a block may lie that is partly in a region. */
export function widened(regions: readonly Region[], marginBytes: number, sizeBytes: number): Region[] {
  const wide: [from: number, to: number][] = []
  for (const [from, to] of regions) {
    const [start, end] = [Math.max(0, from - marginBytes), Math.min(sizeBytes, to + marginBytes)]
    const before = wide.at(-1)
    if (before !== undefined && start <= before[1]) before[1] = end
    else wide.push([start, end])
  }
  return wide
}

/**
 * The regions in windows of at most `windowBytes`, in each as many as fit. What is cut overlaps by `overlapBytes`, so that no
 * block is missed.
 */
export function windowsOf(regions: readonly Region[], windowBytes: number, overlapBytes: number): Region[][] {
  const windows: Region[][] = []
  let room = 0
  for (const [from, to] of regions) {
    for (let at = from; at < to;) {
      const end = Math.min(to, at + windowBytes)
      if (end - at > room) {
        windows.push([])
        room = windowBytes
      }
      windows.at(-1)?.push([at, end])
      room -= end - at
      at = end === to ? to : end - overlapBytes
    }
  }
  return windows
}

export function bytesOf(regions: readonly Region[]): number {
  return regions.reduce((sum, [from, to]) => sum + to - from, 0)
}
