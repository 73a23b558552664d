// Where the programs keep what must outlive them: the XDG data folder, or the folder a person named.

import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'

/** `$XDG_DATA_HOME/coterie/<name>`, by default under `~/.local/share` (XDG Base Directory 0.8). */
export function defaultDataFolder(name: string): string {
  const configured = process.env['XDG_DATA_HOME']
  // The specification: a relative path in the variable is invalid and must be ignored.
  const base = configured && isAbsolute(configured) ? configured : join(homedir(), '.local', 'share')
  return join(base, 'coterie', name)
}

/** Makes the folder, readable by its owner only. */
export function makePrivateFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
}

/**
 * Replaces the file whole or not at all, also when the power fails: written beside it, flushed,
 * renamed over it, and the folder flushed so that the name is durable too.
 */
export function replaceFile(path: string, content: string | Uint8Array): void {
  const beside = `${path}.${randomBytes(4).toString('hex')}.tmp`
  try {
    writeDurably(beside, content)
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

function writeDurably(path: string, content: string | Uint8Array): void {
  const file = openSync(path, 'wx', 0o600)
  try {
    writeFileSync(file, content)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
