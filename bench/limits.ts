// npm run bench:limits
// Measures how well rate limits hold: bytes per second over 10 s against the limit (bound: 5 %), also after a
// change during the transfer, and how two downloaders share a limit.

import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { pieceBytes } from '../src/common/limits.ts'
import type { Program } from '../src/demo/program.ts'
import { group, inArena, makeFile } from './arena.ts'

const MiB = 1024 * 1024
const windowMs = 10_000
const toleratedShare = 0.05
const sizeMiB = 512

async function bytesOf(client: Program): Promise<{ bytes: number; atMs: number }> {
  await client.say('show_downloads --details')
  const details = await client.next((line) => line.includes(' of '))
  return { bytes: Number(/(\d+) of/.exec(details)?.[1]) * pieceBytes, atMs: performance.now() }
}

/** The rate of each client over the next 10 s, in bytes per second. */
async function ratesOf(clients: readonly Program[]): Promise<number[]> {
  const before = await Promise.all(clients.map(bytesOf))
  await setTimeout(windowMs)
  const after = await Promise.all(clients.map(bytesOf))
  return after.map(({ bytes, atMs }, index) => {
    const first = before[index] ?? { bytes: 0, atMs: 0 }
    return ((bytes - first.bytes) / (atMs - first.atMs)) * 1000
  })
}

function report(what: string, asked: number, rates: readonly number[]): void {
  const sum = rates.reduce((a, b) => a + b, 0)
  const off = Math.abs(sum / asked - 1)
  if (off > toleratedShare) process.exitCode = 1
  const each = rates.map((rate) => (rate / MiB).toFixed(2)).join(' + ')
  console.log(
    `${what.padEnd(44)} ${(asked / MiB).toFixed(0)} MiB/s asked, ${each} MiB/s, off by ${(100 * off).toFixed(1)} % ` +
      `(${off <= toleratedShare ? 'within' : 'OVER'} 5 %)`,
  )
}

await inArena(async (arena) => {
  const path = await makeFile(arena, 'data.bin', sizeMiB)
  const seeder = await arena.startMember('seeder', ['--upload-limit', '12M'])
  await seeder.say(`upload_file ${path} ${group}`)
  // Two files, because two downloaders of the same one would exchange pieces.
  await seeder.say(`upload_file ${await makeFile(arena, 'other.bin', sizeMiB)} ${group}`)
  const first = await arena.startMember('first')
  const second = await arena.startMember('second')
  await first.say(`download_file ${group} data.bin ${join(arena.folder, 'first')}`)
  await second.say(`download_file ${group} other.bin ${join(arena.folder, 'second')}`)
  const clients = [first, second]
  report('upload limit from the start, two peers', 12 * MiB, await ratesOf(clients))
  await seeder.say('limit upload 5M')
  report('upload limit lowered while they run', 5 * MiB, await ratesOf(clients))
  await seeder.say('limit upload none')
  await second.say(`pause_download ${group} other.bin`)
  await first.say('limit download 8M')
  report('download limit, set while it runs', 8 * MiB, await ratesOf([first]))
})
