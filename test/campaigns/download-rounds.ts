// Kills a downloading client with kill -9, again and again during one download, and counts what was fetched more than
// once.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { group, writtenBytes, type Arena } from '../../bench/arena.ts'
import { pieceBytes } from '../../src/common/limits.ts'
import type { Program } from '../../src/demo/program.ts'
import { seededRandom } from '../simulation/seeded-random.ts'
import { isSame } from './entry-versions.ts'
import { startKnownMember } from './known-member.ts'
import { makeWanted, type WantedKind } from './wanted-download.ts'

export interface DownloadPlan {
  readonly kind: WantedKind
  readonly kills: number
  /** Of what is fetched. */
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
  /** What the seeder sends for the same download when nobody is killed, as pieces of the full length. */
  readonly pieces: number
  /** Sent by the seeder in all; those beyond `pieces` were fetched again. */
  readonly piecesSent: number
}

const MiB = 1024 * 1024

export async function killDownloader(arena: Arena, plan: DownloadPlan): Promise<DownloadFigures> {
  const random = seededRandom(plan.seed)
  const { shared, asked, original } = await makeWanted(arena, plan)
  const destination = join(arena.folder, 'copy')
  const command = `download_file ${group} ${asked} ${destination}`
  const seeder = await arena.startMember('seeder')
  await seeder.say(`upload_file ${shared} ${group}`)
  let client = await startKnownMember(arena, seeder, 'victim')
  const pieces = await piecesOfUndisturbed(arena, seeder, command)
  // Slow enough that the download outlasts the last kill, however long the lives are.
  const ratePerMs = (0.8 * plan.sizeMiB * MiB) / (plan.kills * plan.longestLifeMs)
  await seeder.say(`limit upload ${Math.max(1, Math.round((ratePerMs * 1000) / 1024))}K`)
  const before = writtenBytes(seeder)
  // Other lines may come first, that of the group for one: it is not killed before it knows what to fetch.
  await client.say(command, (line) => line.startsWith('downloading '))
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
    isIdentical: isSame(original, destination),
    pieces,
    piecesSent: (writtenBytes(seeder) - before) / pieceBytes,
  }
}

/** By another member, whose copy and share go again. */
async function piecesOfUndisturbed(arena: Arena, seeder: Program, command: string): Promise<number> {
  const other = await arena.startMember('undisturbed')
  const before = writtenBytes(seeder)
  await other.say(command, (line) => line.startsWith('downloading '))
  await untilComplete(other)
  const pieces = (writtenBytes(seeder) - before) / pieceBytes
  await other.quit()
  rmSync(join(arena.folder, 'copy'), { recursive: true })
  return pieces
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
