// What the parts of the benchmark have in common: the folder they work in, a small tracker to ask, and the log of
// a million commands, which is written once.

import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ServerProcess } from './server-process.ts'
import { communities, fileId, sizeBytes } from './states.ts'
import { benchCredentials, TrackerUser } from './tracker-user.ts'
import { writeLog } from './write-log.ts'

export const commandsOfLongLog = 1_000_000

/** Of this run; removed at its end. */
export const folder = mkdtempSync(join(tmpdir(), 'coterie-bench-'))

export function removeFolder(): void {
  rmSync(folder, { recursive: true, force: true })
}

/** Starts a tracker with one user, one group and three files. */
export async function prepareTracker(words: readonly string[]): Promise<ServerProcess> {
  const tracker = await ServerProcess.tracker(words)
  const user = await TrackerUser.connect(tracker.port)
  await user.register()
  user.close()
  const again = await TrackerUser.loggedIn(tracker.port)
  await again.ask('create_group', { id: 'a'.repeat(16), group: 'family' })
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) {
    const file = { group: 'family', name, fileId, sizeBytes }
    await again.ask('share_file', { id: `share-file-of-${name.at(0)}-1`, ...file })
  }
  again.close()
  return tracker
}

let longLog: Promise<string> | undefined

/** A data folder of its own with `commandsOfLongLog` commands in the log and no snapshot. */
export async function withLongLog(name: string): Promise<string> {
  longLog ??= writeLongLog()
  const copy = join(folder, name)
  cpSync(await longLog, copy, { recursive: true })
  return copy
}

async function writeLongLog(): Promise<string> {
  const original = join(folder, 'long-log')
  await writeLog(original, communities(commandsOfLongLog, await benchCredentials()))
  return original
}
