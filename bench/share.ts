// npm run bench:share [-- <GiB> [rounds]]
// Times sharing a file that is in the page cache, from the command to the reply: SHA-1 and SHA-256 of every
// piece, and the tracker's answer. Compares it with programs that make a .torrent of the same file (SHA-1
// alone), where they are installed.

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { spawn, spawnSync } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import type { Program } from '../src/demo/program.ts'
import { group, inArena, percentile } from './arena.ts'

const MiB = 1024 * 1024
const [gibibytes = 4, rounds = 3] = process.argv.slice(2).map(Number)
const boundRatio = 1.4

const torrent = 'made.torrent'
const others: Record<string, (path: string, out: string) => string[]> = {
  'mktorrent -t 2': (path, out) => [
    'mktorrent',
    '-l',
    '19',
    '-t',
    '2',
    '-a',
    'http://127.0.0.1/',
    '-o',
    out,
    path,
  ],
  'transmission-create': (path, out) => [
    'transmission-create',
    '-s',
    '512',
    '-t',
    'http://127.0.0.1/',
    '-o',
    out,
    path,
  ],
}

async function makeFile(path: string): Promise<void> {
  const file = await open(path, 'w')
  const block = randomBytes(16 * MiB)
  for (let written = 0; written < gibibytes * 1024; written += 16) {
    // Makes every block different at little cost, in case a program takes advantage of equal ones.
    block.writeUInt32LE(written)
    await file.write(block)
  }
  await file.close()
}

/** Reads the file into the page cache. */
async function warm(path: string): Promise<void> {
  const stream = createReadStream(path, { highWaterMark: 8 * MiB })
  stream.resume()
  await once(stream, 'end')
}

async function timeOther(argv: readonly string[]): Promise<number> {
  const [program = '', ...words] = argv
  const startedAtMs = performance.now()
  const child = spawn(program, words, { stdio: 'ignore' })
  const [code] = (await once(child, 'exit')) as [number]
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
  return performance.now() - startedAtMs
}

/** The time from typing the command to its reply, in milliseconds. */
async function timeUpload(client: Program, path: string): Promise<number> {
  const startedAtMs = performance.now()
  const reply = await client.say(`upload_file ${path} ${group}`)
  const tookMs = performance.now() - startedAtMs
  if (!reply.startsWith('sharing ')) throw new Error(reply)
  await client.say(`stop_share ${group} data.bin`)
  return tookMs
}

function seconds(timesMs: readonly number[]): string {
  const sorted = timesMs.toSorted((a, b) => a - b)
  const [first = 0, last = 0] = [sorted[0], sorted.at(-1)]
  return `${(percentile(sorted, 0.5) / 1000).toFixed(2)} s  (${(first / 1000).toFixed(2)} to ${(last / 1000).toFixed(2)})`
}

await inArena(async (arena) => {
  const path = join(arena.folder, 'data.bin')
  const out = join(arena.folder, torrent)
  await makeFile(path)
  const client = await arena.startMember('sharer')
  const installed = Object.entries(others).filter(
    ([name]) => spawnSync('which', [name.split(' ')[0] ?? '']).status === 0,
  )
  const times = new Map<string, number[]>([
    ['coterie', []],
    ...installed.map(([name]) => [name, []] as [string, number[]]),
  ])
  for (let round = 0; round < rounds; round++) {
    await warm(path)
    times.get('coterie')?.push(await timeUpload(client, path))
    for (const [name, argv] of installed) {
      rmSync(out, { force: true })
      await warm(path)
      times.get(name)?.push(await timeOther(argv(path, out)))
    }
    await setTimeout(200)
  }
  const median = (name: string): number =>
    percentile(
      (times.get(name) ?? []).toSorted((a, b) => a - b),
      0.5,
    )
  for (const [name, timesMs] of times) console.log(`${name.padEnd(22)} ${seconds(timesMs)}`)
  for (const [name] of installed)
    console.log(`coterie / ${name} = ${(median('coterie') / median(name)).toFixed(2)}`)
  if (installed.length === 0)
    console.log('nothing to compare with: neither mktorrent nor transmission-create is installed')
  else if (times.has('mktorrent -t 2'))
    console.log(
      median('coterie') <= boundRatio * median('mktorrent -t 2')
        ? `within ${boundRatio}`
        : `OVER ${boundRatio}`,
    )
})
