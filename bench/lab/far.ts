// Two machines with a long line between them: what plain TCP connections carry, and what a client fetches from another.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Namespaces } from '../../test/namespaces.ts'
import { percentile } from '../arena.ts'
import { Community, group, MiB } from './community.ts'
import { compileLine, Line, type Conditions } from './line.ts'
import { fetchFile, type Member } from './member.ts'
import { printRow } from './table.ts'

export interface FarOptions {
  readonly roundTripsMs: readonly number[]
  /** From 0 to 1. */
  readonly losses: readonly number[]
  readonly rateMbit: number
  /** Names of congestion controls; those that the kernel lacks are left out. */
  readonly controls: readonly string[]
  readonly sizeMiB: number
  /** For each measurement. */
  readonly seconds: number
  /** So often each is made, in turns; a row has the medians. */
  readonly rounds: number
  /** Whether clients are measured too, or only the line. */
  readonly withClients: boolean
  readonly seed: number
}

const [near, far] = ['near', 'far'] as const
const [nearHost, farHost] = ['10.99.0.1', '10.99.0.2'] as const
const ends = [
  { machine: near, own: nearHost, other: farHost },
  { machine: far, own: farHost, other: nearHost },
] as const
const trackerPort = 9002
const plainPort = 9100
const memberPort = 4444
const many = 8
const file = 'far.bin'
const plainTcp = fileURLToPath(new URL('plain-tcp.mjs', import.meta.url))
const widths = [8, 8, 9, 14, 14, 14, 10]

/** Prints a row for each condition, in Mbit/s. Rejects with a sentence where there can be no line. */
export async function runFar(options: FarOptions): Promise<void> {
  const spaces = new Namespaces()
  const community = new Community(spaces)
  const plain = new PlainTcp(spaces)
  let line: Line | undefined
  try {
    const compiled = compileLine(community.folder)
    if ('why' in compiled) throw new Error(compiled.why)
    line = await makeLine(compiled.program, spaces, options.seed)
    await plain.serve()
    const fetcher = options.withClients ? await startClients(community, options.sizeMiB * MiB) : undefined
    await measureAll(line, spaces, plain, { community, fetcher }, options)
  } finally {
    plain.close()
    await community.close()
    await line?.close()
    spaces.close()
  }
}

async function makeLine(program: string, spaces: Namespaces, seed: number): Promise<Line> {
  for (const machine of [near, far]) spaces.add(machine)
  const line = await Line.open(program, spaces, [near, far], 'line', seed)
  for (const { machine, own, other } of ends) {
    spaces.ip(machine, 'addr', 'add', `${own}/32`, 'dev', 'line')
    spaces.ip(machine, 'route', 'add', other, 'dev', 'line')
  }
  // Else each connection would begin with what the one before it had learnt.
  for (const machine of [near, far]) spaces.set(machine, 'net.ipv4.tcp_no_metrics_save=1')
  return line
}

/** Both with an account and the group, on a line without delay; the near one shares a file. The far one. */
async function startClients(community: Community, sizeBytes: number): Promise<Member> {
  await community.startTracker(near, nearHost, trackerPort)
  const sharer = await community.startMember(near, `${nearHost}:${memberPort}`)
  const fetcher = await community.startMember(far, `${farHost}:${memberPort}`)
  await sharer.does(`upload_file ${community.makeFile(file, sizeBytes)} ${group}`)
  return fetcher
}

async function measureAll(
  line: Line,
  spaces: Namespaces,
  plain: PlainTcp,
  { community, fetcher }: { community: Community; fetcher: Member | undefined },
  { roundTripsMs, losses, rateMbit, controls, sizeMiB, seconds, rounds }: FarOptions,
): Promise<void> {
  const known = readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8').trim().split(' ')
  for (const control of controls.filter((each) => !known.includes(each)))
    console.log(`this kernel has no ${control}: it has ${known.join(', ')}`)
  const headsOfClient = fetcher === undefined ? [] : ['client', `of ${many}`]
  console.log(`Mbit/s over a line of ${rateMbit} Mbit/s, of ${sizeMiB} MiB or what came in ${seconds} s`)
  printRow(widths, ['control', 'ms', 'loss', 'TCP', `${many} of TCP`, ...headsOfClient])
  for (const control of controls.filter((each) => known.includes(each))) {
    // As a setting of the route: that of a namespace takes only what the whole machine allows to everybody.
    for (const { machine, other } of ends)
      spaces.ip(machine, 'route', 'replace', other, 'dev', 'line', 'congctl', control)
    for (const roundTripMs of roundTripsMs)
      for (const loss of losses) {
        const conditions: Conditions = { roundTripMs, loss, rateMbit }
        await line.become(conditions)
        const [ones, eights, owns]: [number[], number[], number[]] = [[], [], []]
        for (let round = 0; round < rounds; round++) {
          ones.push(await plain.fetch(1, sizeMiB * MiB, seconds))
          eights.push(await plain.fetch(many, sizeMiB * MiB, seconds))
          if (fetcher !== undefined) owns.push(await fetchOnce(community, fetcher, seconds))
        }
        const [one, eight, own] = [medianOf(ones), medianOf(eights), medianOf(owns)]
        const ofClient =
          fetcher === undefined ? [] : [own.toFixed(1), `${((own / eight) * 100).toFixed(0)} %`]
        printRow(widths, [
          control,
          `${roundTripMs}`,
          `${loss * 100} %`,
          one.toFixed(1),
          eight.toFixed(1),
          ...ofClient,
        ])
      }
  }
}

function medianOf(values: readonly number[]): number {
  return percentile(
    values.toSorted((one, other) => one - other),
    0.5,
  )
}

/** Megabits a second. */
async function fetchOnce(community: Community, fetcher: Member, seconds: number): Promise<number> {
  const copy = community.path('fetched.bin')
  const fetched = await fetchFile(fetcher, group, file, copy, { firstSeconds: seconds, seconds })
  // Else it would be there already the next time.
  if (fetched.isWhole) await fetcher.does(`stop_share ${group} ${file}`)
  rmSync(copy, { force: true })
  return (fetched.bytes * 8e-6) / fetched.seconds
}

/** Connections of TCP and nothing else, from the far machine to the near one. */
class PlainTcp {
  readonly #spaces: Namespaces
  #close: () => void = () => undefined

  constructor(spaces: Namespaces) {
    this.#spaces = spaces
  }

  async serve(): Promise<void> {
    const server = this.#start(near, ['serve', nearHost, String(plainPort)])
    this.#close = () => server.kill()
    process.once('exit', this.#close)
    await once(server.stdout, 'data')
  }

  /** Megabits a second of so many connections at once, until so many bytes or so much time. */
  async fetch(connections: number, bytes: number, seconds: number): Promise<number> {
    const child = this.#start(far, ['fetch', nearHost, plainPort, connections, bytes, seconds].map(String))
    for await (const line of createInterface({ input: child.stdout })) {
      const came = JSON.parse(line) as { bytes: number; seconds: number }
      return (came.bytes * 8e-6) / came.seconds
    }
    throw new Error('plain TCP connections were not measured')
  }

  close(): void {
    this.#close()
    process.off('exit', this.#close)
  }

  #start(machine: string, words: readonly string[]) {
    const [command = '', ...before] = this.#spaces.at(machine)
    return spawn(command, [...before, process.execPath, plainTcp, ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
  }
}
