// Measures whether a relay keeps to its rate: one pair alone, and two at once, which are to share it equally.

import { Community, group, MiB } from './community.ts'
import { Internet, memberPort, sites, trackerHost, trackerPort } from './internet.ts'
import { fetchFile, type Member } from './member.ts'
import { printRow } from './table.ts'

/** Nothing but a relay connects them. */
const pairs = [
  ['home1', 'symmetric'],
  ['home2', 'office'],
] as const
const seconds = 10
const patience = { firstSeconds: 20, seconds: 60 }
/** How far from the rate, and from the half of it, the bytes of pieces may be. */
const [rateWithin, shareWithin] = [0.05, 0.1]
const widths = [12, 10, 14, 12, 16]

/** Bytes that were there at a time, in milliseconds. */
interface Reached {
  readonly bytes: number
  readonly atMs: number
}

/** `ratesMiB`: in MiB a second. Prints a row for each and for one and two pairs. Resolves to whether each rate held. */
export async function runRates(ratesMiB: readonly number[]): Promise<boolean> {
  console.log(`what a relay gives in ${seconds} s, beside its rate`)
  printRow(widths, ['MiB/s', 'pairs', 'MiB/s got', 'of it', 'shares'])
  let isWell = true
  for (const rateMiB of ratesMiB) isWell = (await measure(rateMiB)) && isWell
  return isWell
}

async function measure(rateMiB: number): Promise<boolean> {
  const names: readonly string[] = pairs.flat()
  const needed = sites.filter(({ name }) => names.includes(name))
  const internet = await Internet.open({ sites: needed })
  const community = new Community(internet)
  try {
    await community.startTracker('tracker', trackerHost, trackerPort, ['--relay', `${rateMiB}M`])
    const members = new Map<string, Member>()
    for (const { name, host } of needed.flatMap((site) => site.members))
      members.set(name, await community.startMember(name, `${host}:${memberPort}`))
    let isWell = true
    for (const count of [1, pairs.length]) {
      const sizeBytes = Math.ceil((rateMiB * seconds) / count) * MiB
      const courses = await Promise.all(
        pairs
          .slice(0, count)
          .map(([from, to]) => courseOf(community, [members.get(from), members.get(to)], sizeBytes, count)),
      )
      isWell = report(rateMiB, pacesOf(courses)) && isWell
    }
    return isWell
  } finally {
    await community.close()
    await internet.close()
  }
}

function report(rateMiB: number, paces: readonly number[]): boolean {
  const sum = paces.reduce((all, pace) => all + pace, 0) / MiB
  const shares = paces.map((pace) => pace / MiB / sum)
  const isWell =
    Math.abs(sum / rateMiB - 1) <= rateWithin &&
    shares.every((share) => Math.abs(share * paces.length - 1) <= shareWithin)
  const cells = [`${rateMiB}`, `${paces.length}`, sum.toFixed(2), `${((sum / rateMiB) * 100).toFixed(1)} %`]
  const shared = shares.map((share) => `${(share * 100).toFixed(1)} %`).join(' + ')
  printRow(widths, [...cells, shared, isWell ? '' : 'not as it should be'])
  return isWell
}

/** Bytes a second of each, while all of them had come so far and none was done. */
function pacesOf(courses: readonly (readonly Reached[])[]): number[] {
  const sinceMs = Math.max(...courses.map((course) => course[0]?.atMs ?? 0))
  const untilMs = Math.min(...courses.map((course) => course.at(-1)?.atMs ?? 0))
  return courses.map(
    (course) => (bytesAt(course, untilMs) - bytesAt(course, sinceMs)) / ((untilMs - sinceMs) / 1000),
  )
}

/** Between two looks it grows evenly. */
function bytesAt(course: readonly Reached[], atMs: number): number {
  const next = course.findIndex((each) => each.atMs >= atMs)
  const [before, after] = [course[Math.max(0, next - 1)], course[next]]
  if (before === undefined || after === undefined) throw new Error('the time is within the course')
  if (before === after) return after.bytes
  const part = (atMs - before.atMs) / (after.atMs - before.atMs)
  return before.bytes + part * (after.bytes - before.bytes)
}

/** How the pieces came. */
async function courseOf(
  community: Community,
  [from, to]: readonly [Member | undefined, Member | undefined],
  sizeBytes: number,
  count: number,
): Promise<Reached[]> {
  if (from === undefined || to === undefined) throw new Error('both ends have started')
  const name = `of-${from.name}-beside-${count - 1}`
  await from.does(`upload_file ${community.makeFile(name, sizeBytes)} ${group}`)
  const all: Reached[] = []
  const fetched = await fetchFile(to, group, name, community.path(`${name}-fetched`), {
    ...patience,
    onProgress: (bytes, atMs) => {
      if (bytes > (all.at(-1)?.bytes ?? 0)) all.push({ bytes, atMs })
    },
  })
  if (!fetched.isWhole || fetched.way !== 'relayed')
    throw new Error(`${to.name} could not fetch from ${from.name} through a relay`)
  return all
}
