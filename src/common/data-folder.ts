// Folders and files that outlive a program: the default data folder, private folders, atomic replacement of a file.

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { open, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { Failure, sentenceOf } from './failure.ts'

/** `$XDG_DATA_HOME/coterie/<name>`, by default under `~/.local/share` (XDG Base Directory 0.8). */
export function defaultDataFolder(name: string): string {
  const configured = process.env['XDG_DATA_HOME']
  // The specification says to ignore a relative path.
  const base = configured && isAbsolute(configured) ? configured : join(homedir(), '.local', 'share')
  return join(base, 'coterie', name)
}

/** Creates the folder, accessible to its owner only. Throws a `data` failure. */
export function makePrivateFolder(folder: string): void {
  try {
    makeFolders(folder)
  } catch (error) {
    throw new Failure('data', `cannot make the data folder ${folder}: ${sentenceOf(error)}`, error)
  }
}

/** Avoids Node's `recursive` option, which never returns below /proc, where no folder can be created. */
function makeFolders(folder: string): void {
  if (isFolder(folder)) return
  // Where a file is in place of a folder, newer Nodes say that nothing is below it. The system says what is wrong.
  const parent = dirname(folder)
  if (parent !== folder && !existsSync(parent)) makeFolders(parent)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Another program may just have created it.
    if (!isFolder(folder)) throw error
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

/**
 * Replaces the whole file or nothing, even if the power fails: writes beside it, flushes, renames over it, and flushes
 * the folder so that the name is durable too.
 */
export async function replaceFile(path: string, content: string | Uint8Array): Promise<void> {
  const beside = besideOf(path)
  try {
    await writeFile(beside, content, { flag: 'wx', mode: 0o600, flush: true })
    await rename(beside, path)
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
  await flushFolderOf(path)
}

/** Makes the name of a file durable. Rejects with what the system says. */
export function flushFolderOf(path: string): Promise<void> {
  return flushFile(dirname(path), 'r')
}

/** Makes the content of a file durable. Rejects with what the system says. */
export async function flushFile(path: string, flags = 'r+'): Promise<void> {
  const file = await open(path, flags)
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/**
 * The same as `replaceFile`, but blocks: for the start of a program only. A flush waits for everything that others have
 * written, which beside a download can take half a second.
 */
export function replaceFileSync(path: string, content: string | Uint8Array): void {
  const beside = besideOf(path)
  try {
    writeFileSync(beside, content, { flag: 'wx', mode: 0o600, flush: true })
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function besideOf(path: string): string {
  return `${path}.${randomBytes(4).toString('hex')}.tmp`
}
