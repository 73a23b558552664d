// Kills, in the middle of a download, whoever forwards it or the tracker. Prints for how long nothing came, and what came
// twice.

import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import type { Way } from '../../src/client/way.ts'
import { Community, group, MiB } from './community.ts'
import { Internet, memberPort, sites, trackerHost, trackerPort, type Site } from './internet.ts'
import { fetchFile, type Member } from './member.ts'
import { printRow } from './table.ts'

interface Scene {
  readonly internet: Internet
  readonly community: Community
  readonly members: ReadonlyMap<string, Member>
}

interface Kill {
  readonly what: string
  readonly from: string
  readonly to: string
  readonly way: readonly Way[]
  /** Whether the tracker forwards. */
  readonly hasRelay?: boolean
  /** Members who forward. */
  readonly relaying?: readonly string[]
  readonly strike: (scene: Scene) => Promise<void>
  /** For so long nothing may come after it. */
  readonly withinSeconds: number
}

/** One that `doctor` makes. */
interface Check {
  readonly check: string
  readonly sentence: string
}

const sizeBytes = 16 * MiB
/** Of whoever forwards, or else of the sharer. */
const rate = '4M'
const relayWords = ['--relay', rate]
const patience = { firstSeconds: 20, seconds: 60 }
/** What is under way when a connection ends: a piece that has not all come, and what the systems hold of the next ones. */
const againBytesMax = 2 * MiB
const isAwayMs = 3000
const widths = [62, 12, 12, 14, 10, 10, 10]

const forwarding = siteCalled('forwarding')
const otherForwarding: Site = {
  ...forwarding,
  name: 'another',
  what: 'another one',
  publicHost: '203.0.113.17',
  members: forwarding.members.map((member) => ({ ...member, name: 'another' })),
}
const relayed = { from: 'home1', to: 'symmetric', way: ['relayed'] } as const

const kills: readonly Kill[] = [
  {
    what: 'the tracker that forwards is killed and started again',
    ...relayed,
    hasRelay: true,
    strike: async ({ community }) => {
      await community.killTracker()
      await startTracker(community, true)
    },
    withinSeconds: 5,
  },
  {
    what: 'a member that forwards is killed, and another one takes over',
    ...relayed,
    relaying: ['forwarding', 'another'],
    strike: async ({ internet, members }) => {
      const [first, other] = ['forwarding', 'another'] as const
      const busy = internet.bytesAt(first).sent > internet.bytesAt(other).sent ? first : other
      await members.get(busy)?.program.kill()
    },
    withinSeconds: 5,
  },
  {
    what: `the one member that forwards is killed and comes again after ${isAwayMs / 1000} s`,
    ...relayed,
    relaying: ['forwarding'],
    strike: async ({ community, members }) => {
      await members.get('forwarding')?.program.kill()
      await pause(isAwayMs)
      await community.startAgain('forwarding', addressOf('forwarding'), relayWords)
    },
    withinSeconds: isAwayMs / 1000 + 5,
  },
  {
    what: 'the tracker is killed during a punched download',
    ...{ from: 'home2', to: 'home1', way: ['punched'] },
    strike: ({ community }) => community.killTracker(),
    withinSeconds: 1,
  },
  {
    what: 'the tracker is killed during one by a called-back connection',
    ...{ from: 'home1', to: 'forwarding', way: ['called-back', 'punched'] },
    strike: ({ community }) => community.killTracker(),
    withinSeconds: 1,
  },
]

/** Prints a row for each. Resolves to whether all went on in time, and nothing came twice but what was under way. */
export async function runKills(): Promise<boolean> {
  console.log(
    `${sizeBytes / MiB} MiB at ${rate}iB a second; pause: the longest time without a piece after it`,
  )
  printRow(widths, ['', 'by', 'from', 'way', 'seconds', 'pause', 'MiB again'])
  let isWell = true
  for (const kill of kills) isWell = (await run(kill)) && isWell
  return isWell
}

async function run(kill: Kill): Promise<boolean> {
  const names = [kill.from, kill.to, ...(kill.relaying ?? [])]
  const needed = [...sites, otherForwarding].filter(({ name }) => names.includes(name))
  const internet = await Internet.open({ sites: needed })
  const community = new Community(internet)
  try {
    await startTracker(community, kill.hasRelay === true)
    const members = new Map<string, Member>()
    for (const name of names) {
      const isRelaying = kill.relaying?.includes(name) === true
      const member = await community.startMember(name, addressOf(name), isRelaying ? relayWords : [])
      members.set(name, member)
      if (isRelaying) await isReached(member)
    }
    return await fetchWith(kill, { internet, community, members })
  } finally {
    await community.close()
    await internet.close()
  }
}

async function fetchWith(kill: Kill, scene: Scene): Promise<boolean> {
  const { internet, community, members } = scene
  const [from, to] = [members.get(kill.from), members.get(kill.to)]
  if (from === undefined || to === undefined) throw new Error('both ends have started')
  const [name, copy] = ['film', community.path('film-fetched')]
  const original = community.makeFile(name, sizeBytes)
  await from.does(`limit upload ${rate}iB/s`, `upload_file ${original} ${group}`)
  const before = internet.bytesAt(to.name).received
  const longest = new Gap()
  let strike: Promise<void> | undefined
  const fetched = await fetchFile(to, group, name, copy, {
    ...patience,
    onProgress: (bytes, atMs) => {
      if (strike !== undefined) longest.onProgress(bytes, atMs)
      if (strike !== undefined || bytes < sizeBytes / 4) return
      longest.onProgress(bytes, atMs)
      strike = kill.strike(scene)
    },
  })
  await strike
  const againBytes = Math.max(0, internet.bytesAt(to.name).received - before - sizeBytes)
  const isSame = fetched.isWhole && readFileSync(original).equals(readFileSync(copy))
  const isWell =
    isSame &&
    kill.way.some((way) => way === fetched.way) &&
    longest.seconds <= kill.withinSeconds &&
    againBytes <= againBytesMax
  const figures = [fetched.seconds, longest.seconds, againBytes / MiB].map((figure) => figure.toFixed(1))
  const verdict = isSame ? (isWell ? '' : 'not as it should be') : 'it did not arrive'
  printRow(widths, [kill.what, to.name, from.name, fetched.way, ...figures, verdict])
  return isWell
}

/** The longest time without progress. */
class Gap {
  #bytes = -1
  #sinceMs = 0
  seconds = 0

  onProgress(bytes: number, atMs: number): void {
    if (this.#bytes >= 0) this.seconds = Math.max(this.seconds, (atMs - this.#sinceMs) / 1000)
    if (bytes === this.#bytes) return
    this.#bytes = bytes
    this.#sinceMs = atMs
  }
}

function startTracker(community: Community, hasRelay: boolean): Promise<void> {
  return community.startTracker('tracker', trackerHost, trackerPort, hasRelay ? relayWords : [])
}

/** Only then others are sent to a member who forwards. */
async function isReached(member: Member): Promise<void> {
  for (;;) {
    const { checks } = await member.ask('doctor')
    const reach = (checks as readonly Check[]).find(({ check }) => check === 'reach')
    if (reach?.sentence.includes('came here') === true) return
    await pause(100)
  }
}

function siteCalled(wanted: string): Site {
  const site = sites.find(({ name }) => name === wanted)
  if (site === undefined) throw new Error(`there is no site ${wanted}`)
  return site
}

function addressOf(name: string): string {
  const all = [...sites, otherForwarding].flatMap((site) => site.members)
  return `${all.find((member) => member.name === name)?.host ?? ''}:${memberPort}`
}
