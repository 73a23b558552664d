// npm run bench:memory [-- <GiB>]
// Measures the resident memory of a sharing and a downloading client with a file of 16 GiB, sparse so that it
// fits on any disk. Bound: 150 MiB each, whatever the size of the file.

import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { group, inArena, peakMiB } from './arena.ts'

const sizeGiB = Number(process.argv[2] ?? 16)
const sizeBytes = sizeGiB * 1024 ** 3

await inArena(async (arena) => {
  const path = join(arena.folder, 'sparse.bin')
  const file = openSync(path, 'w')
  ftruncateSync(file, sizeBytes)
  // A few islands of random bytes, so that some pieces differ.
  for (let at = 0; at < 16; at++) writeSync(file, randomBytes(4096), 0, 4096, (at * sizeBytes) / 16)
  closeSync(file)

  const seeder = await arena.startMember('seeder')
  const leecher = await arena.startMember('leecher')
  let startedAtMs = performance.now()
  await seeder.say(`upload_file ${path} ${group}`)
  const hashS = (performance.now() - startedAtMs) / 1000
  const afterHashing = peakMiB(seeder)
  startedAtMs = performance.now()
  await leecher.say(`download_file ${group} sparse.bin ${join(arena.folder, 'copy.bin')}`)
  await leecher.next((line) => line === `[C] [${group}] sparse.bin`)
  const downloadS = (performance.now() - startedAtMs) / 1000
  console.log(`file                    ${sizeGiB} GiB, sparse`)
  console.log(`hashed in               ${hashS.toFixed(1)} s`)
  console.log(
    `downloaded in           ${downloadS.toFixed(1)} s (${Math.round(sizeBytes / downloadS / 1e6)} MB/s)`,
  )
  console.log(`seeder, after hashing   ${afterHashing.toFixed(0)} MiB peak`)
  console.log(`seeder, at the end      ${peakMiB(seeder).toFixed(0)} MiB peak`)
  console.log(`downloader, at the end  ${peakMiB(leecher).toFixed(0)} MiB peak`)
  const worst = Math.max(peakMiB(seeder), peakMiB(leecher))
  console.log(`${worst <= 150 ? 'within' : 'OVER'} the bound of 150 MiB`)
})
