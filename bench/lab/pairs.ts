// Lets every member of a small internet fetch a file from every other one, and prints by which way it came.

import { readFileSync, rmSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Recording } from '../../test/namespaces.ts'
import { bestWay, isAsGood } from './best-way.ts'
import { Community, group, MiB, pattern } from './community.ts'
import {
  Internet,
  memberPort,
  sites,
  trackerHost,
  trackerPort,
  type InternetOptions,
  type Site,
} from './internet.ts'
import { compileLine, type Conditions } from './line.ts'
import { fetchFile, type Fetched, type Member, type Patience } from './member.ts'
import { printRow } from './table.ts'

export interface PairsOptions {
  /** Members, by the names of `sites`; only pairs of two of them are tried. Empty for all. */
  readonly only: readonly string[]
  readonly sizeMiB: number
  readonly patience: Patience
  /** More for the command line of the tracker. */
  readonly trackerWords: readonly string[]
  /** Searches what passes the tracker for what only members may read. Takes its time. */
  readonly records: boolean
  /** How long the way between two members is; without it, it is as short as can be. */
  readonly conditions?: Conditions | undefined
}

interface Outcome extends Fetched {
  /** What the tracker's machine has sent meanwhile. */
  readonly bytesFromTracker: number
  /** How often the pattern was in the recording, and how much that was; undefined without one. */
  readonly found?: { readonly count: number; readonly bytes: number } | undefined
}

const recordingPatienceMs = 20_000
const widths = [12, 12, 14, 10, 10, 10, 10]

interface End {
  readonly member: Member
  readonly site: Site
}

/**
 * Prints a row for each pair. Resolves to whether all could fetch, no relay was used where another way can be, and nothing
 * was found in a recording.
 */
export async function runPairs(options: PairsOptions): Promise<boolean> {
  const { only, trackerWords, sizeMiB } = options
  const wanted = sites.filter(({ members }) =>
    members.some(({ name }) => only.length === 0 || only.includes(name)),
  )
  for (const { name, what } of wanted) console.log(`${name.padEnd(widths[0] ?? 0)}${what}`)
  const community = new Community({ at: (machine) => internet.at(machine) })
  const internet = await Internet.open({ sites: wanted, line: lineFor(options, community.folder) })
  try {
    await community.startTracker('tracker', trackerHost, trackerPort, trackerWords)
    const ends: End[] = []
    for (const site of wanted)
      for (const { name, host } of site.members)
        if (only.length === 0 || only.includes(name))
          ends.push({ member: await community.startMember(name, `${host}:${memberPort}`), site })
    console.log(
      `\n${sizeMiB} MiB for each pair; the last column is what the tracker's machine sent meanwhile`,
    )
    printRow(widths, ['by', 'from', 'way', 'first', 'seconds', 'MiB/s', 'MiB'])
    let isWell = true
    for (const to of ends)
      for (const from of ends) {
        if (from === to) continue
        const outcome = await runPair(internet, community, from.member, to.member, options)
        const isWorthIt = report(from, to, outcome)
        isWell &&= outcome.isWhole && isWorthIt && (outcome.found?.count ?? 0) === 0
      }
    return isWell
  } finally {
    await community.close()
    await internet.close()
  }
}

/** Each way goes over two lines. Throws a sentence where there can be none. */
function lineFor({ conditions }: PairsOptions, folder: string): InternetOptions['line'] {
  if (conditions === undefined) return undefined
  const compiled = compileLine(folder)
  if ('why' in compiled) throw new Error(compiled.why)
  const { roundTripMs, loss, rateMbit } = conditions
  const half = { roundTripMs: roundTripMs / 2, loss: 1 - Math.sqrt(1 - loss), rateMbit }
  return { program: compiled.program, conditions: half }
}

async function runPair(
  internet: Internet,
  community: Community,
  from: Member,
  to: Member,
  { sizeMiB, patience, records }: PairsOptions,
): Promise<Outcome> {
  const name = `of-${from.name}-for-${to.name}`
  // Of its own for each pair, else it would be found on the same machine.
  const original = community.makeFile(name, sizeMiB * MiB)
  const copy = community.path(`${name}-fetched`)
  const frames = community.path('frames')
  if (countIn(readFileSync(original)) === 0) throw new Error('the search finds nothing where something is')
  await from.does(`upload_file ${original} ${group}`)
  const recording = records ? await Recording.start(internet.at('tracker'), frames) : undefined
  const before = internet.bytesAt('tracker').sent
  try {
    const fetched = await fetchFile(to, group, name, copy, patience)
    const bytesFromTracker = internet.bytesAt('tracker').sent - before
    if (fetched.isWhole && !readFileSync(original).equals(readFileSync(copy)))
      throw new Error(`${to.name} got another file than ${from.name} has`)
    const found = recording === undefined ? undefined : await search(recording, bytesFromTracker)
    return { ...fetched, bytesFromTracker, found }
  } finally {
    recording?.stop()
    for (const member of [from, to]) await member.ask(`stop_share ${group} ${name}`)
    for (const path of [original, copy, frames]) rmSync(path, { force: true })
  }
}

/** How often the pattern passed the tracker, once the recording has all that it sent. */
async function search(recording: Recording, bytes: number): Promise<Outcome['found']> {
  const signal = AbortSignal.timeout(recordingPatienceMs)
  while (statSync(recording.path).size < bytes) await pause(50, undefined, { signal })
  const recorded = readFileSync(recording.path)
  return { count: countIn(recorded), bytes: recorded.length }
}

function countIn(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(pattern); at !== -1; at = bytes.indexOf(pattern, at + 1)) count++
  return count
}

/** False when it went through a relay and need not have. */
function report(from: End, to: End, outcome: Outcome): boolean {
  const { isWhole, bytes, firstSeconds, seconds, way, bytesFromTracker, found } = outcome
  const paces = [firstSeconds ?? seconds, seconds, bytes / MiB / seconds].map((figure) => figure.toFixed(1))
  const best = bestWay(from.site, to.site)
  const isInVain = way === 'relayed' && best !== 'relayed'
  const notes = [
    ...(isWhole && !isAsGood(way, best) ? [`${best} is possible`] : []),
    ...(found === undefined
      ? []
      : [`readable in ${found.count} places of ${(found.bytes / MiB).toFixed(1)} MiB`]),
  ]
  const words = isWhole ? [way, ...paces] : ['none', '', '', '']
  const names = [to.member.name, from.member.name]
  printRow(widths, [...names, ...words, (bytesFromTracker / MiB).toFixed(1), notes.join(', ')])
  if (!isWhole && bytes > 0)
    console.log(`  ${(bytes / MiB).toFixed(1)} MiB came in ${seconds.toFixed(0)} s, then it was given up`)
  return !isInVain
}
