// Writes a tracker's log before the tracker starts, so that a state of any size is there in seconds and no bound
// of the wire stands in the way. Uses the real log, without a snapshot.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SqliteLog } from '../../src/tracker/log/sqlite-log.ts'
import type { Command } from '../../src/tracker/state/commands.ts'

const entriesPerAppend = 5_000

/** How a command stands in the log: the one place here that knows the format of an entry. */
function encodeEntry(number: number, command: Command): string {
  return JSON.stringify({ origin: 'benchmark', number, command })
}

/** Makes a data folder for a tracker whose log holds these commands, each with an id of its own. */
export async function writeLog(dataFolder: string, commands: Iterable<Command>): Promise<void> {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
  const log = new SqliteLog(join(dataFolder, 'log.sqlite'))
  await log.follow({ onSnapshot: () => undefined, onEntry: () => undefined, onLost: () => undefined })
  let entries: string[] = []
  let number = 0
  for (const command of commands) {
    const id = `id-${String(number).padStart(16, '0')}`
    entries.push(encodeEntry(number++, 'id' in command ? { ...command, id } : command))
    if (entries.length < entriesPerAppend) continue
    await log.append(entries)
    entries = []
  }
  if (entries.length > 0) await log.append(entries)
  await log.close()
}
