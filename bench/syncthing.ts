// npm run bench:syncthing [-- --mib 1024 --reps 5]
// One file from one machine's program to another's, all encrypted: Coterie, and Syncthing (Debian's package) beside it
// in turn. Both programs run and know each other; the time is that from the order to the verified copy. On loopback.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Arena, group, inArena, makeFile, percentile } from './arena.ts'
import { hasSyncthing, SyncthingPair } from './syncthing/pair.ts'

const { values } = parseArgs({
  options: { mib: { type: 'string', default: '1024' }, reps: { type: 'string', default: '5' } },
})

if (!hasSyncthing()) {
  console.error('syncthing is not installed: apt-get install syncthing')
  process.exit(2)
}

const name = 'file.bin'

/** Seconds from the command to the line that says that the copy is there. */
async function ours(arena: Arena): Promise<number> {
  const ben = await arena.restartMember('ben')
  const copy = join(arena.folder, 'copy.bin')
  const startedAtMs = performance.now()
  await ben.say(`download_file ${group} ${name} "${copy}"`)
  await ben.next((line) => line.startsWith('[C]'))
  const tookMs = performance.now() - startedAtMs
  await ben.say(`stop_share ${group} ${name}`)
  await ben.kill()
  rmSync(copy)
  return tookMs / 1000
}

/** Seconds from the connection to the whole folder. */
async function theirs(arena: Arena, rep: number): Promise<number> {
  const folder = join(arena.folder, `syncthing-${rep}`)
  mkdirSync(folder)
  const pair = await SyncthingPair.start(folder, join(arena.folder, 'shared'))
  try {
    return (await pair.sync(Number(values.mib) * 1024 * 1024)) / 1000
  } finally {
    await pair.close()
    rmSync(folder, { recursive: true })
  }
}

function median(seconds: readonly number[]): number {
  return percentile(
    seconds.toSorted((a, b) => a - b),
    0.5,
  )
}

await inArena(async (arena) => {
  mkdirSync(join(arena.folder, 'shared'))
  const path = await makeFile(arena, join('shared', name), Number(values.mib))
  const ann = await arena.startMember('ann')
  const ben = await arena.startMember('ben')
  await ben.kill()
  await ann.say(`upload_file "${path}" ${group}`)
  const rows: { ours: number; theirs: number }[] = []
  for (let rep = 0; rep < Number(values.reps); rep++) {
    const row = { ours: await ours(arena), theirs: await theirs(arena, rep) }
    rows.push(row)
    console.log(`coterie ${row.ours.toFixed(2)} s  syncthing ${row.theirs.toFixed(2)} s`)
  }
  const [mine, their] = [median(rows.map((row) => row.ours)), median(rows.map((row) => row.theirs))]
  console.log(`medians: coterie ${mine.toFixed(2)} s, syncthing ${their.toFixed(2)} s`)
  console.log(`coterie / syncthing = ${(mine / their).toFixed(2)}`)
}, true)
process.exit()
