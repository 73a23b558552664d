// Writes a tracker's log before the tracker starts, so that a state of any size takes seconds to make and limits of
// the wire do not apply. Uses the real log, without a snapshot.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SqliteLog } from '../../src/tracker/log/sqlite-log.ts'
import { encodeEntry } from '../../src/tracker/entry.ts'
import type { Command } from '../../src/tracker/state/commands.ts'
import { newestLevel } from '../../src/tracker/state/levels.ts'

const entriesPerAppend = 5_000

/** How the log of a community begins today. */
const beginning: readonly Command[] = [
  {
    kind: 'tracker_started',
    key: 'A'.repeat(43),
    cluster: 'benchmark',
    secret: 'benchmark',
    level: newestLevel,
  },
  { kind: 'raise_level', level: newestLevel },
]

/** The entry of a command in the log. */
function entryOf(number: number, command: Command): string {
  // From many addresses, because a quota bounds the accounts of one address per day.
  const from = `10.${(number >> 16) & 255}.${(number >> 8) & 255}.${number & 255}`
  return encodeEntry({ origin: 'benchmark', number, atMs: Date.now(), from, command })
}

/** Makes a data folder for a tracker whose log holds these commands, each with an id of its own. */
export async function writeLog(dataFolder: string, commands: Iterable<Command>): Promise<void> {
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 })
  const log = new SqliteLog(join(dataFolder, 'log.sqlite'))
  await log.follow({ onSnapshot: () => undefined, onEntry: () => undefined, onLost: () => undefined })
  let entries = beginning.map((command, index) => entryOf(index, command))
  let number = entries.length
  for (const command of commands) {
    const id = `id-${String(number).padStart(16, '0')}`
    entries.push(entryOf(number++, 'id' in command ? { ...command, id } : command))
    if (entries.length < entriesPerAppend) continue
    await log.append(entries)
    entries = []
  }
  if (entries.length > 0) await log.append(entries)
  await log.close()
}
