// What the parts of the benchmark share: the folder they work in, a small tracker to query, and the log of a million
// commands, which is written once.

import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeNonce } from '../../src/common/security/challenge.ts'
import { makeIdentity } from '../../src/common/security/identity.ts'
import { endAllGenerators } from './generator.ts'
import { endAllServers, ServerProcess } from './server-process.ts'
import { communities, fileId, sizeBytes } from './states.ts'
import { benchCredentials, TrackerUser } from './tracker-user.ts'
import { writeLog } from './write-log.ts'

export const commandsOfLongLog = 1_000_000

/** The folder of this run, removed at its end. */
export const folder = mkdtempSync(join(tmpdir(), 'coterie-bench-'))

/** Ends every process of this run, and removes its folder. */
export function cleanUp(): void {
  endAllGenerators()
  endAllServers()
  rmSync(folder, { recursive: true, force: true })
}

/** Call it at the start: a run that is broken off leaves nothing behind either. */
export function cleanUpOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      cleanUp()
      process.exit(1)
    })
  }
}

/** Enough for 2,500 connections: a tracker may bound those of one user. */
export const benchUsers = Array.from({ length: 64 }, (_, index) => `bench-${index}`)
/** The group of all of them. */
export const group = 'family'

/** Starts a tracker with `benchUsers`, their group and three files in it. */
export async function prepareTracker(words: readonly string[]): Promise<ServerProcess> {
  const tracker = await ServerProcess.tracker(words)
  const [owner, ...others] = await Promise.all(benchUsers.map((user) => enter(tracker.port, user)))
  if (owner === undefined) throw new Error('there are no users')
  await owner.ask('create_group', { id: makeNonce(), group })
  for (const other of others) {
    const { user } = other.account
    await other.ask('join_group', { id: makeNonce(), group })
    await owner.ask('accept_request', { id: makeNonce(), group, user })
    other.close()
  }
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg'])
    await owner.ask('share_file', { id: makeNonce(), group, name, fileId, sizeBytes })
  owner.close()
  return tracker
}

async function enter(port: number, name: string): Promise<TrackerUser> {
  const account = { user: name, identity: makeIdentity() }
  const stranger = await TrackerUser.connect(port, account)
  await stranger.register()
  stranger.close()
  return TrackerUser.loggedIn(port, account)
}

let longLog: Promise<string> | undefined

/** A new data folder with `commandsOfLongLog` commands in the log and no snapshot. */
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
