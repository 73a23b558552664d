// Remembers in a data folder without a log which community its tracker belongs to. So a log that was mixed up, or
// begun anew by mistake, is noticed before clients are told that their accounts are gone.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFileSync } from '../common/data-folder.ts'
import { Failure } from '../common/failure.ts'

/** The log of trackers on one machine, in their data folder. */
export function logFileIn(dataFolder: string): string {
  return join(dataFolder, 'log.sqlite')
}

function memoryIn(dataFolder: string): string {
  return join(dataFolder, 'community')
}

/** It is there while a backup is being put into the folder. */
export function restoreMarkIn(dataFolder: string): string {
  return join(dataFolder, 'restoring')
}

/** Throws a `data` failure where a restore was cut short: what is there is half of it. */
export function checkRestored(dataFolder: string): void {
  if (existsSync(restoreMarkIn(dataFolder)))
    throw new Failure('data', `a restore into ${dataFolder} did not end; run it again`)
}

/** Whether a tracker has run with this data folder: it has a log, or remembers the community of a log elsewhere. */
export function hasCommunity(dataFolder: string): boolean {
  return existsSync(logFileIn(dataFolder)) || existsSync(memoryIn(dataFolder))
}

/** Throws a `data` failure when this folder's community keeps its log in the other kind of place. */
export function checkKindOfLog(dataFolder: string, isElsewhere: boolean): void {
  if (isElsewhere && existsSync(logFileIn(dataFolder)))
    throw new Failure(
      'data',
      `${dataFolder} has a log of its own, which --log would ignore; name another folder with --data-dir to begin anew`,
    )
  if (!isElsewhere && existsSync(memoryIn(dataFolder)))
    throw new Failure(
      'data',
      `the trackers of ${dataFolder} have their log in NATS; start with --log, or name another folder with --data-dir to begin anew`,
    )
}

/** `community` is what the log says; empty for a new log. Throws a `data` failure when the folder has another one. */
export function checkCommunity(dataFolder: string, community: string): void {
  const path = memoryIn(dataFolder)
  const before = existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
  if (before === '' || before === community) return
  throw new Failure(
    'data',
    `the log is ${community === '' ? 'empty' : 'that of another community'}, but ${dataFolder} belongs to ${before}; name the right log, or another folder with --data-dir to begin anew`,
  )
}

export function rememberCommunity(dataFolder: string, community: string): void {
  if (!existsSync(memoryIn(dataFolder))) replaceFileSync(memoryIn(dataFolder), `${community}\n`)
}
