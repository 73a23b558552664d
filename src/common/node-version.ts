// Which lines of Node get fixes no more.

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

/**
 * A short sentence for a person whose Node (`20.20.2`) gets no fixes any more at this time, in milliseconds since 1970;
 * undefined where it still does, or where nothing is known of it.
 */
export function whyNewerNode(version: string, nowMs: number): string | undefined {
  const line = Number(version.split('.')[0])
  const day = endedOn.get(line)
  if (day === undefined || nowMs < Date.parse(day)) return undefined
  return `Node.js ${line} gets no security fixes any more; install ${recommended}`
}
