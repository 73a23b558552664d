// Writes a log of many commands, like those of real communities: accounts, groups that people join, files
// that they share. Uses the real log, without a snapshot.

import { createHash } from 'node:crypto'
import type { Command } from '../../src/tracker/state/commands.ts'
import { SqliteLog } from '../../src/tracker/log/sqlite-log.ts'

const entriesPerAppend = 5_000
const usersPerGroup = 20
const key = Buffer.alloc(32, 3).toString('base64')

/** Yields them group by group: 20 accounts, 1 to create, 38 to join and accept, 120 shares, 1 to leave. */
function* commands(count: number): Generator<Command> {
  let made = 0
  for (let community = 0; made < count; community++) {
    const group = `group-${community}`
    const names = Array.from({ length: usersPerGroup }, (_, index) => `user-${community}-${index}`)
    const [owner = ''] = names
    for (const command of oneGroup(group, owner, names, community)) {
      yield { ...command, ...('id' in command ? { id: `id-${String(made).padStart(16, '0')}` } : {}) }
      if (++made === count) return
    }
  }
}

function* oneGroup(group: string, owner: string, names: string[], community: number): Generator<Command> {
  const id = ''
  const credentials = { salt: key.slice(0, 24), iterations: 600_000, storedKey: key, serverKey: key }
  for (const user of names) yield { kind: 'register', id, user, credentials }
  yield { kind: 'create_group', id, by: owner, group }
  for (const by of names.slice(1)) {
    yield { kind: 'join_group', id, by, group }
    yield { kind: 'accept_request', id, by: owner, group, user: by }
  }
  for (const by of names) {
    for (let index = 0; index < 6; index++) {
      const name = `holiday ${by} ${index}.jpg`
      const fileId = createHash('sha256').update(`${community} ${name}`).digest('hex')
      yield { kind: 'share_file', id, by, group, name, fileId, sizeBytes: 3_000_000 }
    }
  }
  yield { kind: 'leave_group', id, by: names.at(-1) ?? owner, group }
}

export async function writeLongLog(path: string, count: number): Promise<void> {
  const log = new SqliteLog(path)
  const nobody = { onSnapshot: () => undefined, onEntry: () => undefined, onLost: () => undefined }
  await log.follow(nobody)
  let entries: string[] = []
  let number = 0
  for (const command of commands(count)) {
    entries.push(JSON.stringify({ origin: 'benchmark', number: number++, command }))
    if (entries.length < entriesPerAppend && number < count) continue
    await log.append(entries)
    entries = []
  }
  await log.close()
}
