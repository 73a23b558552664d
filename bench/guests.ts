// npm run bench:guests [-- --mib <n> --rounds <n> --guests <n>]
// What a member's download from a client loses while guests fetch from it as fast as they get it: the same download with
// them and without, in turns, under an upload limit, which the processor does not bound, and without one. All guests
// together have the share of one member, so half of the speed is asked for.

import { rmSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Program } from '../src/demo/program.ts'
import { group, inArena, makeFile, percentile, type Arena } from './arena.ts'

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '5' },
    guests: { type: 'string', default: '4' },
  },
})
const mib = Number(values.mib)
const rounds = Number(values.rounds)
const guestCount = Number(values.guests)

interface Guests {
  /** Of all of them, so far. */
  readonly bytes: number
  stop(): void
}

/** Each comes from an address of its own, and begins anew when it has all. Resolves when all are sent something. */
async function guestsFetch(url: string): Promise<Guests> {
  let bytes = 0
  const over = new AbortController()
  const agents = new Set<Agent>()
  const fetchOnce = (from: string, onBegun: () => void): Promise<void> =>
    new Promise((resolve) => {
      const agent = new Agent()
      agents.add(agent)
      const sent = request(url, { agent, localAddress: from, rejectUnauthorized: false }, (response) => {
        response.on('data', (part: Buffer) => {
          bytes += part.length
          onBegun()
        })
      })
      sent.on('error', () => undefined)
      sent.on('close', () => {
        agents.delete(agent)
        agent.destroy()
        resolve()
      })
      sent.end()
    })
  const come = (from: string): Promise<void> =>
    new Promise((resolve) => {
      const again = async (): Promise<void> => {
        while (!over.signal.aborted) await fetchOnce(from, resolve)
      }
      void again()
    })
  await Promise.all(Array.from({ length: guestCount }, (_, at) => come(`127.0.5.${at + 1}`)))
  return {
    get bytes() {
      return bytes
    },
    stop() {
      over.abort()
      for (const agent of agents) agent.destroy()
    },
  }
}

async function measure(arena: Arena, owner: Program, member: Program, url: string): Promise<void> {
  for (const limit of ['64M', 'none']) {
    await owner.say(`limit upload ${limit}`)
    const rates: Record<'with' | 'without' | 'guests', number[]> = { with: [], without: [], guests: [] }
    for (let round = -1; round < rounds; round++)
      for (const kind of round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
        const guests = kind === 'with' ? await guestsFetch(url) : undefined
        const [beganMs, before] = [performance.now(), guests?.bytes ?? 0]
        const copy = join(arena.folder, 'copy.bin')
        await member.say(`download_file ${group} data.bin ${copy}`)
        await member.next((line) => line === `[C] [${group}] data.bin`)
        const seconds = (performance.now() - beganMs) / 1000
        // The first round warms up.
        if (round >= 0) rates[kind].push(mib / seconds)
        if (round >= 0 && guests !== undefined)
          rates.guests.push((guests.bytes - before) / 1024 / 1024 / seconds)
        guests?.stop()
        await member.say(`stop_share ${group} data.bin`)
        rmSync(copy)
      }
    report(limit, rates)
  }
}

function report(limit: string, rates: Record<'with' | 'without' | 'guests', number[]>): void {
  const ratios = rates.with.map((rate, at) => rate / (rates.without[at] ?? rate))
  const shown = (all: readonly number[], digits: number): string => {
    const sorted = all.toSorted((one, other) => one - other)
    const [median, least, most] = [percentile(sorted, 0.5), sorted[0] ?? 0, sorted.at(-1) ?? 0]
    return `${median.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`
  }
  console.log(`upload limit ${limit}: a member beside ${guestCount} guests ${shown(rates.with, 0)} MiB/s,`)
  console.log(`  alone ${shown(rates.without, 0)} MiB/s, × ${shown(ratios, 2)};`)
  console.log(`  all guests together meanwhile ${shown(rates.guests, 0)} MiB/s`)
}

await inArena(async (arena) => {
  const path = await makeFile(arena, 'data.bin', mib)
  const owner = await arena.startMember('owner', ['--guests', '127.0.0.1:0'])
  const member = await arena.startMember('member')
  await owner.say(`upload_file ${path} ${group}`)
  const link = await owner.say(`share_link ${group} data.bin`, (line) => line.startsWith('https:'))
  await measure(arena, owner, member, `${link}/data.bin`)
})
