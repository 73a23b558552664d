// npm run bench:entries [-- <files> [KiB each]]
// Times sharing a folder of many small files that are in the page cache, from the command to the reply, beside
// `tar c | sha1sum` of the same folder; and measures the resident memory of the client. Bounds: twice the time of tar,
// and 250 MiB.

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { group, inArena, peakMiB } from './arena.ts'

const [count = 100_000, kibibytes = 10] = process.argv.slice(2).map(Number)
const perFolder = 1000
const timeBound = 2
const memoryBoundMiB = 250
const rounds = 3

/** Files with random bytes, a thousand to a folder. */
function makeFiles(folder: string): void {
  const bytes = randomBytes(kibibytes * 1024)
  for (let file = 0; file < count; file++) {
    const inside = join(folder, `part ${Math.floor(file / perFolder)}`)
    if (file % perFolder === 0) mkdirSync(inside, { recursive: true })
    // Makes each file another one at little cost.
    bytes.writeUInt32LE(file)
    writeFileSync(join(inside, `file ${file}.bin`), bytes)
  }
}

async function timed(work: () => unknown): Promise<number> {
  const startedAtMs = performance.now()
  await work()
  return performance.now() - startedAtMs
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? NaN
}

function text(values: readonly number[]): string {
  return `${(median(values) / 1000).toFixed(2)} s  (${values.map((ms) => (ms / 1000).toFixed(2)).join(', ')})`
}

await inArena(async (arena) => {
  const folder = join(arena.folder, 'many')
  makeFiles(folder)
  const client = await arena.startMember('sharer')
  const tar = (): Buffer => execFileSync('sh', ['-c', 'tar c many | sha1sum'], { cwd: arena.folder })
  const upload = async (): Promise<void> => {
    const reply = await client.say(`upload_file "${folder}" ${group}`)
    if (!reply.startsWith(`sharing many/ in ${group} (${count} files`)) throw new Error(reply)
  }
  const [ours, theirs]: [number[], number[]] = [[], []]
  // The first time brings all of it into the page cache.
  tar()
  for (let round = 0; round < rounds; round++) {
    theirs.push(await timed(tar))
    if (round > 0) await client.say(`stop_share ${group} many`)
    ours.push(await timed(upload))
  }
  writeFileSync(join(folder, 'part 0', 'file 0.bin'), 'changed')
  const nextMs = await timed(upload)
  const ratio = median(ours) / median(theirs)
  const memory = peakMiB(client)
  console.log(`${count} files of ${kibibytes} KiB`)
  console.log(`coterie             ${text(ours)}`)
  console.log(`with one changed    ${(nextMs / 1000).toFixed(2)} s`)
  console.log(`tar c | sha1sum     ${text(theirs)}`)
  console.log(
    `coterie / tar     = ${ratio.toFixed(2)}, ${ratio <= timeBound ? 'within' : 'OVER'} ${timeBound}`,
  )
  console.log(
    `largest memory    = ${memory.toFixed(0)} MiB, ${memory <= memoryBoundMiB ? 'within' : 'OVER'} ${memoryBoundMiB} MiB`,
  )
})
