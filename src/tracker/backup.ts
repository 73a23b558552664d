// Saves the data of trackers in one file while they run.

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { flushFile, flushFolderOf } from '../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../common/failure.ts'
import { hasCommunity, logFileIn } from './community.ts'
import { addFiles, isKept, readThrough, removeDatabase, type Contents, type KeptFile } from './data-copy.ts'
import { backup } from './log/sqlite-engine.ts'
import { openDataFile } from './log/sqlite-file.ts'

export interface Saved extends Contents {
  readonly sizeBytes: number
}

/** All at once: in parts, each change of a tracker would begin the copy anew. */
const pagesAtOnce = 0x7f_ff_ff_ff

/**
 * Copies the log as of one moment, and the keys, into a file that did not exist and that only its owner can read. The copy
 * is read through before it gets its name, and is on the disk then. Rejects with a failure that says what is wrong.
 */
export async function backUp(dataFolder: string, path: string): Promise<Saved> {
  checkLog(dataFolder)
  if (existsSync(path)) throw new Failure('file', `${path} exists; choose another name for the backup`)
  const beside = `${path}.${randomBytes(4).toString('hex')}.new`
  try {
    // Made first, since SQLite would let others read it.
    closeSync(openSync(beside, 'wx', 0o600))
    await copyLog(logFileIn(dataFolder), beside)
    addFiles(beside, filesOf(dataFolder))
    const contents = await readThrough(beside, path)
    await flushFile(beside)
    publish(beside, path)
    await flushFolderOf(path)
    return { ...contents, sizeBytes: statSync(path).size }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('file', `cannot write the backup ${path}: ${sentenceOf(error)}`, error)
  } finally {
    removeDatabase(beside)
  }
}

function checkLog(dataFolder: string): void {
  if (existsSync(logFileIn(dataFolder))) return
  throw new Failure(
    'data',
    hasCommunity(dataFolder)
      ? `the trackers of ${dataFolder} have their log in NATS; back it up there, and copy this folder for their keys`
      : `no tracker has its data in ${dataFolder}; name the right folder with --data-dir`,
  )
}

async function copyLog(from: string, to: string): Promise<void> {
  const database = openDataFile(from)
  try {
    await backup(database, to, { rate: pagesAtOnce })
  } finally {
    database.close()
  }
}

/** Read after the log: a tracker that is new in it has its key before. */
function filesOf(dataFolder: string): KeptFile[] {
  const inFolders = readdirSync(dataFolder).map((name) => `${name}/identity.pem`)
  return ['tracker_info.txt', ...inFolders]
    .filter((path) => isKept(path) && existsSync(join(dataFolder, path)))
    .map((path) => ({ path, content: readFileSync(join(dataFolder, path)) }))
}

/** Replaces nothing, also when another backup has just got the name. */
function publish(beside: string, path: string): void {
  try {
    linkSync(beside, path)
  } catch (error) {
    const code = systemCode(error)
    // File systems without links, such as those of memory sticks.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error
    if (existsSync(path)) throw error
    renameSync(beside, path)
  }
}
