// Kills a downloading client with kill -9, again and again during one download, and counts what was fetched more than
// once.

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { group, makeFile, writtenBytes, type Arena } from '../../bench/arena.ts'
import { pieceBytes } from '../../src/common/limits.ts'
import type { Program } from '../../src/demo/program.ts'
import { seededRandom } from '../simulation/seeded-random.ts'
import { startKnownMember } from './known-member.ts'

export interface DownloadPlan {
  readonly kills: number
  readonly sizeMiB: number
  readonly seed: number
  /** A client dies at a random moment, at most this many milliseconds after its login. */
  readonly longestLifeMs: number
}

export interface DownloadFigures {
  readonly kills: number
  /** Kills before the download was complete. */
  readonly inTheMiddle: number
  readonly isIdentical: boolean
  readonly pieces: number
  /** Sent by the seeder in all; those beyond `pieces` were fetched again. */
  readonly piecesSent: number
}

const name = 'data.bin'
const MiB = 1024 * 1024

export async function killDownloader(arena: Arena, plan: DownloadPlan): Promise<DownloadFigures> {
  const random = seededRandom(plan.seed)
  const path = await makeFile(arena, name, plan.sizeMiB)
  const pieces = Math.ceil((plan.sizeMiB * MiB) / pieceBytes)
  const seeder = await arena.startMember('seeder')
  await seeder.say(`upload_file ${path} ${group}`)
  // Slow enough that the download outlasts the last kill, however long the lives are.
  const ratePerMs = (0.8 * plan.sizeMiB * MiB) / (plan.kills * plan.longestLifeMs)
  await seeder.say(`limit upload ${Math.max(1, Math.round((ratePerMs * 1000) / 1024))}K`)
  let client = await startKnownMember(arena, seeder, 'victim')
  const destination = join(arena.folder, 'copy.bin')
  const before = writtenBytes(seeder)
  // Other lines may come first, that of the group for one: it is not killed before it knows what to fetch.
  await client.say(`download_file ${group} ${name} ${destination}`, (line) => line.startsWith('downloading '))
  let inTheMiddle = 0
  for (let kill = 0; kill < plan.kills; kill++) {
    await setTimeout(random() * plan.longestLifeMs)
    await client.kill()
    client = await arena.restartMember('victim')
    if ((await client.say('show_downloads')).startsWith('[D]')) inTheMiddle++
  }
  await seeder.say('limit upload none')
  await untilComplete(client)
  return {
    kills: plan.kills,
    inTheMiddle,
    isIdentical: (await hashOf(path)) === (await hashOf(destination)),
    pieces,
    piecesSent: (writtenBytes(seeder) - before) / pieceBytes,
  }
}

/**
 * Polls instead of waiting for the notice: on a busy machine a client lives longer than planned, and may have
 * completed, and said so, before it is killed.
 */
async function untilComplete(client: Program): Promise<void> {
  for (;;) {
    const line = await client.say('show_downloads')
    if (line === 'no downloads' || line.startsWith('[C]')) return
    if (!line.startsWith('[D]')) throw new Error(`the download does not go on: ${line}`)
    await setTimeout(25)
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  const stream = createReadStream(path, { highWaterMark: pieceBytes })
  stream.on('data', (chunk) => hash.update(chunk))
  await once(stream, 'end')
  return hash.digest('hex')
}
