// Puts a backup into a data folder, or a plain copy of a data file. While that goes on, a file in the folder keeps trackers
// from starting there, so that nobody meets half of it.

import { randomBytes } from 'node:crypto'
import { chownSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { flushFile, flushFolderOf, makePrivateFolder, replaceFile } from '../common/data-folder.ts'
import { Failure, sentenceOf } from '../common/failure.ts'
import { checkKindOfLog, hasCommunity, logFileIn, restoreMarkIn } from './community.ts'
import {
  copyDatabase,
  dropFiles,
  isInUse,
  isKey,
  readThrough,
  removeDatabase,
  type Contents,
  type KeptFile,
} from './data-copy.ts'

export interface Restored extends Contents {
  /** Where the data is that was in the folder before; undefined where there was none. */
  readonly before: string | undefined
}

/**
 * Refuses a folder that has data, unless `replaces`; then the old log is kept beside the new one. Call it while no tracker
 * runs there. Rejects with a failure that says what is wrong; one on the way leaves the mark, and a second call goes on.
 */
export async function restore(path: string, dataFolder: string, replaces: boolean): Promise<Restored> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw new Failure('file', `there is no backup ${path}`)
  makePrivateFolder(dataFolder)
  checkFolder(dataFolder, replaces)
  const beside = `${logFileIn(dataFolder)}.${randomBytes(4).toString('hex')}.new`
  try {
    copyDatabase(path, beside)
    const contents = await readThrough(beside, path)
    dropFiles(beside)
    await flushFile(beside)
    checkKeys(dataFolder, contents.files, replaces)
    return { ...contents, before: await put(beside, contents.files, dataFolder) }
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure('file', `cannot restore ${path} into ${dataFolder}: ${sentenceOf(error)}`, error)
  } finally {
    removeDatabase(beside)
  }
}

function checkFolder(dataFolder: string, replaces: boolean): void {
  checkKindOfLog(dataFolder, false)
  if (replaces || existsSync(restoreMarkIn(dataFolder)) || !hasCommunity(dataFolder)) return
  throw new Failure(
    'data',
    `${dataFolder} has data already; name an empty folder with --data-dir, or add --overwrite`,
  )
}

/** A key that is lost cannot be made again. */
function checkKeys(dataFolder: string, files: readonly KeptFile[], replaces: boolean): void {
  if (replaces || existsSync(restoreMarkIn(dataFolder))) return
  for (const file of files.filter(isKey)) {
    const there = join(dataFolder, file.path)
    if (!existsSync(there) || readFileSync(there).equals(file.content)) continue
    throw new Failure(
      'data',
      `${there} is another key than that of the backup; add --overwrite to replace it`,
    )
  }
}

/** The mark comes first and goes last, and all of it is on the disk before that. */
async function put(
  beside: string,
  files: readonly KeptFile[],
  dataFolder: string,
): Promise<string | undefined> {
  const [log, mark] = [logFileIn(dataFolder), restoreMarkIn(dataFolder)]
  await replaceFile(mark, 'A restore goes on here.\n')
  // From here on none can start.
  if (isInUse(log)) {
    rmSync(mark)
    throw new Failure('data', `a tracker uses ${dataFolder}; stop it first`)
  }
  removeStrays(dataFolder, beside)
  const before = setAside(log)
  for (const { path, content } of files) {
    makePrivateFolder(dirname(join(dataFolder, path)))
    await replaceFile(join(dataFolder, path), content)
  }
  giveToOwner(dataFolder, [beside, ...files.map((file) => join(dataFolder, file.path))])
  // How far trackers had seen the log that was here.
  for (const name of readdirSync(dataFolder))
    if (/^tracker-\d+$/.test(name)) rmSync(join(dataFolder, name, 'log-position'), { force: true })
  renameSync(beside, log)
  await flushFolderOf(log)
  rmSync(mark)
  await flushFolderOf(mark)
  return before
}

/** Root may restore for the user of a service, to whom the folder belongs. */
function giveToOwner(dataFolder: string, paths: readonly string[]): void {
  const { uid, gid } = statSync(dataFolder)
  if (process.getuid?.() !== 0 || uid === 0) return
  for (const path of paths) {
    chownSync(path, uid, gid)
    if (dirname(path) !== dataFolder) chownSync(dirname(path), uid, gid)
  }
}

/** Copies that an earlier restore has left, which was killed. */
function removeStrays(dataFolder: string, own: string): void {
  const strays = readdirSync(dataFolder).filter((name) => /^log\.sqlite\.[0-9a-f]{8}\.new/.test(name))
  for (const path of strays.map((name) => join(dataFolder, name)))
    if (!path.startsWith(own)) rmSync(path, { force: true })
}

/** Moves the old data file out of the way, with those that belong to it. Returns where it is now. */
function setAside(log: string): string | undefined {
  if (!existsSync(log)) return undefined
  const aside = `${log}.before-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  // The companions first: beside a new data file they would be taken for its own.
  for (const tail of ['-shm', '-wal', '']) if (existsSync(log + tail)) renameSync(log + tail, aside + tail)
  return aside
}
