// npm run crash:download [-- --kills <n>] [--seed <n>] [--mib <n>]
// Kills a downloading client with kill -9 at random moments, 100 times each during one download of 1 GiB and one of half
// of the files of a folder, and 100 times each while a standing wish brings it versions of a file and of a folder. Exits with 1 when a copy is not identical, when
// something between two versions is at the destination, or when more was fetched again than was in flight at the kills.
// Then kills one right before each call that publishes or adopts a file or folder, and exits with 1 when anything is
// left half done. Linux only. A quarter of an hour.

import { parseArgs } from 'node:util'
import { inArena } from '../../bench/arena.ts'
import { piecesUnderWayMax } from '../../src/client/downloading/under-way.ts'
import { killDownloader } from './download-rounds.ts'
import { report } from './figures.ts'
import {
  killInPublishing,
  lendingFolder,
  smallFile,
  smallFolder,
  type Publishing,
} from './publishing-rounds.ts'
import { killBetweenVersions } from './version-rounds.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    mib: { type: 'string', default: '1024' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})
const plan = { kills: Number(values.kills), sizeMiB: Number(values.mib), seed: Number(values.seed) }
console.log(`seed ${plan.seed}`)

for (const kind of ['file', 'part'] as const) {
  await inArena(async (arena) => {
    const figures = await killDownloader(arena, { ...plan, kind, longestLifeMs: 1500 })
    const again = figures.piecesSent - figures.pieces
    const what = kind === 'file' ? 'a file' : 'a part of a folder'
    report(`a download of ${what} of ${plan.sizeMiB} MiB whose client is killed`, [
      ['kill -9', String(figures.kills)],
      ['in the middle of the download', String(figures.inTheMiddle)],
      ['the copy is identical', figures.isIdentical ? 'yes' : 'NO'],
      ['pieces that have to be fetched', figures.pieces.toFixed(1)],
      ['pieces fetched again', again.toFixed(1)],
      ['of these for each kill', (again / figures.kills).toFixed(1)],
      ['pieces that may be in flight', String(piecesUnderWayMax)],
    ])
    const isRight = figures.isIdentical && again <= figures.kills * piecesUnderWayMax
    if (!isRight || figures.inTheMiddle === 0) process.exitCode = 1
  })
}

for (const shape of [
  { kind: 'file', largePieces: 64 },
  { kind: 'folder', largePieces: 40, smallFiles: 2000 },
] as const) {
  await inArena(async (arena) => {
    const figures = await killBetweenVersions(arena, { ...plan, shape, longestLifeMs: 1500 })
    const again = figures.piecesSent - figures.pieces
    report(`versions of a ${shape.kind}, fetched by a wish of a client that is killed`, [
      ['kill -9', String(figures.kills)],
      ['before the new version had its name', String(figures.beforeTheSwap)],
      ['when the old one stood aside', String(figures.amidTheSwap)],
      ['versions', String(figures.versions)],
      ['pieces that changed', figures.pieces.toFixed(1)],
      ['pieces fetched again', again.toFixed(1)],
      ['of these for each kill', (again / figures.kills).toFixed(1)],
      ['faults', String(figures.faults.length)],
    ])
    for (const fault of figures.faults) console.log(fault)
    const isRight = figures.faults.length === 0 && again <= figures.kills * piecesUnderWayMax
    if (!isRight || figures.beforeTheSwap === 0) process.exitCode = 1
  })
}

const ways: readonly (Publishing & { readonly title: string })[] = [
  { shape: smallFile, over: 'nothing', by: 'command', title: 'a new file' },
  { shape: smallFile, over: 'another', by: 'command', title: 'over a file' },
  { shape: smallFile, over: 'earlier', by: 'wish', title: 'the next version of a file' },
  { shape: smallFolder, over: 'nothing', by: 'command', title: 'a new folder' },
  { shape: smallFolder, over: 'earlier', by: 'command', title: 'over an earlier version of a folder' },
  { shape: lendingFolder, over: 'earlier', by: 'command', title: 'over one that lends its pieces' },
  { shape: lendingFolder, over: 'earlier', by: 'wish', title: 'the next version of a folder' },
  { shape: smallFile, over: 'same', by: 'command', title: 'a file that is there (adopted)' },
  { shape: smallFolder, over: 'same', by: 'command', title: 'a folder that is there (adopted)' },
]
for (const { title, ...publishing } of ways) {
  await inArena(async (arena) => {
    const { calls, faults } = await killInPublishing(arena, publishing)
    report(`publishing ${title}, killed before each call`, [
      ['calls', String(calls.length)],
      ['faults', String(faults.length)],
    ])
    for (const fault of faults) console.log(fault)
    if (faults.length > 0 || calls.length < 5) process.exitCode = 1
  })
}
