// npm run bench:uneven
// Measures what a peer that is 100 times slower costs: the speed from a fast and a slow peer together, relative to
// the fast one alone (bound: 0.95).

import { join } from 'node:path'
import { group, inArena, makeFile, percentile, type Arena } from './arena.ts'
import type { Program } from '../src/demo/program.ts'

const sizeMiB = 256
const rounds = 3
const boundShare = 0.95

async function timeDownload(arena: Arena, client: Program, copy: string): Promise<number> {
  const startedAtMs = performance.now()
  await client.say(`download_file ${group} data.bin ${join(arena.folder, copy)}`)
  await client.next((line) => line === `[C] [${group}] data.bin`)
  const tookMs = performance.now() - startedAtMs
  await client.say(`stop_share ${group} data.bin`)
  return tookMs
}

await inArena(async (arena) => {
  const path = await makeFile(arena, 'data.bin', sizeMiB)
  const fast = await arena.startMember('fast', ['--upload-limit', '32M'])
  const slow = await arena.startMember('slow', ['--upload-limit', '320K'])
  const client = await arena.startMember('client')
  await fast.say(`upload_file ${path} ${group}`)
  const alone: number[] = []
  const together: number[] = []
  for (let round = 0; round < rounds; round++) {
    alone.push(await timeDownload(arena, client, `alone-${round}`))
    await slow.say(`upload_file ${path} ${group}`)
    together.push(await timeDownload(arena, client, `together-${round}`))
    await slow.say(`stop_share ${group} data.bin`)
  }
  const [aloneMs, togetherMs] = [alone, together].map((times) =>
    percentile(
      times.toSorted((a, b) => a - b),
      0.5,
    ),
  )
  const share = (aloneMs ?? 0) / (togetherMs ?? Infinity)
  console.log(
    `32 MiB/s alone ${((aloneMs ?? 0) / 1000).toFixed(2)} s, with a peer of 320 KiB/s ${((togetherMs ?? 0) / 1000).toFixed(2)} s`,
  )
  console.log(
    `speed ${share.toFixed(3)} of the fast peer's alone (${share >= boundShare ? 'reached' : 'MISSED'}: ${boundShare})`,
  )
  if (share < boundShare) process.exitCode = 1
})
