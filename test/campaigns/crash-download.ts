// npm run crash:download [-- --kills <n>] [--seed <n>] [--mib <n>]
// Kills a downloading client with kill -9 at random moments, 100 times during one download of 1 GiB. Exits with 1 when
// the copy is not identical, or more was fetched again than was in flight at the kills. Then kills one right before
// each call that publishes a file, and exits with 1 when anything is left half done. Linux only.

import { parseArgs } from 'node:util'
import { inArena } from '../../bench/arena.ts'
import { piecesUnderWayMax } from '../../src/client/downloading/under-way.ts'
import { killDownloader } from './download-rounds.ts'
import { report } from './figures.ts'
import { killInPublishing } from './publishing-rounds.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    mib: { type: 'string', default: '1024' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const plan = { kills: Number(values.kills), sizeMiB: Number(values.mib), seed: Number(values.seed) }
console.log(`seed ${plan.seed}`)

await inArena(async (arena) => {
  const figures = await killDownloader(arena, { ...plan, longestLifeMs: 1500 })
  const again = figures.piecesSent - figures.pieces
  report(`a download of ${plan.sizeMiB} MiB whose client is killed`, [
    ['kill -9', String(figures.kills)],
    ['in the middle of the download', String(figures.inTheMiddle)],
    ['the copy is identical', figures.isIdentical ? 'yes' : 'NO'],
    ['pieces of the file', String(figures.pieces)],
    ['pieces fetched again', again.toFixed(1)],
    ['of these for each kill', (again / figures.kills).toFixed(1)],
    ['pieces that may be in flight', String(piecesUnderWayMax)],
  ])
  const isRight = figures.isIdentical && again <= figures.kills * piecesUnderWayMax
  if (!isRight || figures.inTheMiddle === 0) process.exitCode = 1
})

for (const overwrite of [false, true]) {
  await inArena(async (arena) => {
    const { calls, faults } = await killInPublishing(arena, overwrite)
    report(`publishing ${overwrite ? 'over a file' : 'a new file'}, killed before each call`, [
      ['calls', String(calls.length)],
      ['faults', String(faults.length)],
    ])
    for (const fault of faults) console.log(fault)
    if (faults.length > 0 || calls.length < 5) process.exitCode = 1
  })
}
