// npm run bench:response
// Measures how long a person waits: from the download command to the first verified piece (bound: 1 s), and
// for a reply at the prompt while the client downloads or shares at full speed (bound: 100 ms). Types a
// command and times its reply, with pauses of 20 ms.

import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { Program } from '../src/demo/program.ts'
import { group, inArena, makeFile, percentile } from './arena.ts'

const sizeMiB = 2048

/** Times replies of `client` until the download of `whose` is complete; milliseconds, sorted. */
async function probe(client: Program, whose: Program): Promise<number[]> {
  const timesMs: number[] = []
  while (!whose.hasPrinted(`[C] [${group}] data.bin`)) {
    const askedAtMs = performance.now()
    await client.say('whoami')
    timesMs.push(performance.now() - askedAtMs)
    await setTimeout(20)
  }
  return timesMs.sort((a, b) => a - b)
}

function report(what: string, timesMs: readonly number[]): void {
  const p50 = percentile(timesMs, 0.5).toFixed(1)
  const p99 = percentile(timesMs, 0.99).toFixed(1)
  const max = (timesMs.at(-1) ?? 0).toFixed(1)
  const verdict = Number(max) <= 100 ? 'within' : 'OVER'
  console.log(
    `${what.padEnd(34)} p50 ${p50} ms  p99 ${p99} ms  max ${max} ms  (${timesMs.length} replies, ${verdict} 100 ms)`,
  )
}

/** Polls without a pause from the download command to the first verified piece; milliseconds. */
async function firstPieceMs(client: Program, destination: string): Promise<number> {
  const startedAtMs = performance.now()
  await client.say(`download_file ${group} data.bin ${destination}`)
  for (;;) {
    await client.say('show_downloads --details')
    const details = await client.next((line) => line.includes(' of '))
    if (!details.trim().startsWith('0 of')) return performance.now() - startedAtMs
  }
}

await inArena(async (arena) => {
  const path = await makeFile(arena, 'data.bin', sizeMiB)
  const seeder = await arena.startMember('seeder')
  const first = await arena.startMember('first')
  const second = await arena.startMember('second')

  await seeder.say(`upload_file ${path} ${group}`)
  const firstMs = await firstPieceMs(first, join(arena.folder, 'first.bin'))
  console.log(
    `first verified piece after         ${firstMs.toFixed(0)} ms (${firstMs <= 1000 ? 'within' : 'OVER'} 1 s)`,
  )
  report('prompt while downloading', await probe(first, first))

  await second.say(`download_file ${group} data.bin ${join(arena.folder, 'second.bin')}`)
  report('prompt while sharing at full speed', await probe(seeder, second))
})
