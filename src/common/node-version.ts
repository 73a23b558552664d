// Which versions of Node are too old, and which lines of it get fixes no more. Pure.

/** Since when each line gets no fixes, by https://nodejs.org/en/about/previous-releases. Odd ones live for half a year. */
const endedOn: ReadonlyMap<number, string> = new Map([
  [20, '2026-05-01'],
  [21, '2024-06-01'],
  [22, '2027-05-01'],
  [23, '2025-06-01'],
  [24, '2028-05-01'],
  [25, '2026-06-01'],
  [26, '2029-05-01'],
])
const recommended = 24
/** The programs refuse older ones, see scripts/launch.mjs. */
export const oldestNode = '20.20'

/** Of a version like `20.19.5`. */
export function isOlderNode(version: string): boolean {
  const [line = 0, minor = 0] = version.split('.').map(Number)
  const [oldestLine = 0, oldestMinor = 0] = oldestNode.split('.').map(Number)
  return line < oldestLine || (line === oldestLine && minor < oldestMinor)
}

export interface EndOfFixes {
  readonly sentence: string
  /** What to do about it. */
  readonly remedy: string
}

/**
 * What is to say to a person whose Node (`20.20.2`) gets no fixes any more at this time (`2026-11-29`, or with the hour
 * behind it); undefined where it still does, or where nothing is known of it.
 */
export function endOfFixes(version: string, today: string): EndOfFixes | undefined {
  const line = Number(version.split('.')[0])
  const day = endedOn.get(line)
  if (day === undefined || today < day) return undefined
  return { sentence: `Node.js ${line} gets no security fixes any more`, remedy: `install ${recommended}` }
}

/** Likewise, as one sentence. */
export function whyNewerNode(version: string, today: string): string | undefined {
  const ended = endOfFixes(version, today)
  return ended && `${ended.sentence}; ${ended.remedy}`
}
