// npm run bench:shares [-- <shares>] [--profile]
// Logs in a user with 10,000 remembered shares, three times. Measures how long until another member finds a
// seeder for each (bound: 10 s), and how long the client's event loop blocked at most (bound: 50 ms). Prints
// medians.

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from '../src/client/client.ts'
import { hashPiece } from '../src/client/hashing/piece-hash.ts'
import { stampOf } from '../src/client/sharing/file-stamp.ts'
import { parseAddress } from '../src/common/addresses.ts'
import { buildManifest } from '../src/common/manifest.ts'
import { group, inArena, percentile, type Arena } from './arena.ts'

const listen = { host: '127.0.0.1', port: 0 }
const [user, password] = ['sharer', 'bench']
const resolutionMs = 5
const patienceMs = 120_000

function makeClient(folder: string, tracker: string): Client {
  return new Client({
    listen,
    trackers: [parseAddress(tracker)],
    folder,
    onFailure: (error) => {
      throw error
    },
  })
}

/** Writes what the user would have remembered after sharing `count` files of 100 bytes. */
function remember(arena: Arena, folder: string, count: number): void {
  const files = join(arena.folder, 'files')
  mkdirSync(files)
  const shares = Array.from({ length: count }, (_, index) => {
    const path = join(files, `file-${index}.bin`)
    const content = Buffer.alloc(100, `${index} `)
    writeFileSync(path, content)
    const manifest = buildManifest(content.length, hashPiece(content))
    writeFileSync(join(folder, 'manifests', manifest.fileId), manifest.bytes)
    const stamp = stampOf(statSync(path, { bigint: true }))
    const { fileId, sizeBytes } = manifest
    return { group, name: `file-${index}.bin`, fileId, sizeBytes, path, stamp }
  })
  const [community = ''] = readdirSync(join(folder, 'users'))
  const remembered = { version: 1, shares, downloads: [], withdrawals: [] }
  writeFileSync(join(folder, 'users', community, `${user}.json`), JSON.stringify(remembered))
}

/** The measured client, in a process of its own: logs in, and reports the longest block of its event loop. */
async function beMeasured(folder: string, tracker: string): Promise<void> {
  const client = makeClient(folder, tracker)
  await client.start()
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  process.on('message', (message) => {
    if (message !== 'end') return
    delay.disable()
    process.send?.(delay.max / 1e6 - resolutionMs)
    void client.close().then(() => process.disconnect())
  })
  // By then the modules are compiled.
  await setTimeout(500)
  delay.enable()
  const answer = await client.operations.login(user, password)
  if (!answer.ok) throw new Error(answer.refusal.sentence)
  process.send?.('logged in')
}

async function countSeeded(looker: Client): Promise<number> {
  const answer = await looker.operations.listFiles(group)
  if (!answer.ok) throw new Error(answer.refusal.sentence)
  return answer.value.filter(({ seeders }) => seeders > 0).length
}

async function one(arena: Arena, folder: string, looker: Client, count: number): Promise<[number, number]> {
  const words = ['measured', folder, arena.trackerAddress]
  const execArgv = ['--import', 'tsx', ...(process.argv.includes('--profile') ? ['--cpu-prof'] : [])]
  const child: ChildProcess = fork(fileURLToPath(import.meta.url), words, { execArgv })
  await once(child, 'message')
  const startedAtMs = performance.now()
  for (;;) {
    const seeded = await countSeeded(looker)
    if (seeded === count) break
    if (performance.now() - startedAtMs > patienceMs) throw new Error(`${seeded} of ${count} are back`)
    // Polls rarely: listing 10,000 files keeps a core busy that the client may need.
    await setTimeout(500)
  }
  const seconds = (performance.now() - startedAtMs) / 1000
  const heard = once(child, 'message') as Promise<[number]>
  child.send('end')
  const [blockedMs] = await heard
  await once(child, 'exit')
  return [seconds, blockedMs]
}

if (process.argv[2] === 'measured') {
  await beMeasured(process.argv[3] ?? '', process.argv[4] ?? '')
} else {
  const count = Number(process.argv.slice(2).find((word) => /^\d+$/.test(word)) ?? 10_000)
  await inArena(async (arena) => {
    const looker = makeClient(join(arena.folder, 'looker'), arena.trackerAddress)
    await looker.start()
    await looker.operations.createUser('looker', password)
    await looker.operations.login('looker', password)
    await looker.operations.createGroup(group)
    const folder = join(arena.folder, 'sharer')
    const sharer = makeClient(folder, arena.trackerAddress)
    await sharer.start()
    await sharer.operations.createUser(user, password)
    await sharer.operations.login(user, password)
    await sharer.operations.joinGroup(group)
    await looker.operations.acceptRequest(group, user)
    await sharer.close()
    remember(arena, folder, count)
    const rounds: [number, number][] = []
    for (let round = 0; round < 3; round++) rounds.push(await one(arena, folder, looker, count))
    await looker.close()
    const medianOf = (at: 0 | 1): number =>
      percentile(
        rounds.map((figures) => figures[at]).sort((a, b) => a - b),
        0.5,
      )
    const [seconds, blockedMs] = [medianOf(0), medianOf(1)]
    for (const [s, ms] of rounds)
      console.log(`round                    ${s.toFixed(1)} s, ${ms.toFixed(0)} ms`)
    console.log(
      `${count} shares back within ${seconds.toFixed(1)} s (${seconds <= 10 ? 'within' : 'OVER'} 10 s)`,
    )
    console.log(
      `the loop was blocked for ${blockedMs.toFixed(0)} ms at most (${blockedMs <= 50 ? 'within' : 'OVER'} 50 ms)`,
    )
  })
}
