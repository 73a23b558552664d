// Prepares the file of an audit for a start: checks that it is one and can be written, removes the rest of a line that
// a kill or a power failure cut off, and says what its last line is.

import { open, stat, type FileHandle } from 'node:fs/promises'
import { Failure, sentenceOf, systemCode } from '../failure.ts'

/** Longer than any line. */
const tailBytes = 64 * 1024
const newline = 0x0a

/** How the lines of an audit are recognised. */
export interface AuditLines<T> {
  /** What the text of a line says; undefined for what is no line of such an audit. */
  readonly read: (text: string) => T | undefined
  /** How each line begins. */
  readonly begins: string
  /** Whose audit it is, for people. */
  readonly of: string
}

/** What the last line says; undefined for a new audit. Rejects with a `start` failure that names the file. */
export async function prepareAuditFile<T>(path: string, lines: AuditLines<T>): Promise<T | undefined> {
  try {
    // Opening a pipe would wait for a reader.
    if (!(await isFileOrNothing(path))) throw new Error('it is not a file')
    const handle = await open(path, 'a+', 0o600)
    try {
      await handle.chmod(0o600)
      return (await lastIn(handle, lines, true)) ?? (await lastOf(`${path}.1`, lines))
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw new Failure('start', `cannot write the audit to ${path}: ${sentenceOf(error)}`, error)
  }
}

async function isFileOrNothing(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile()
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true
    throw error
  }
}

/** Of a file that was full when the program ended. */
async function lastOf<T>(path: string, lines: AuditLines<T>): Promise<T | undefined> {
  let handle: FileHandle
  try {
    handle = await open(path, 'r')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  try {
    return await lastIn(handle, lines, false)
  } finally {
    await handle.close()
  }
}

/** Undefined for an empty file. Throws an error for one that holds something else, which is left as it is. */
async function lastIn<T>(
  handle: FileHandle,
  lines: AuditLines<T>,
  isRepaired: boolean,
): Promise<T | undefined> {
  const { size } = await handle.stat()
  if (size === 0) return undefined
  const start = Math.max(0, size - tailBytes)
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start)
  const tail = buffer.subarray(0, bytesRead)
  const end = tail.lastIndexOf(newline) + 1
  const begin = end < 2 ? 0 : tail.lastIndexOf(newline, end - 2) + 1
  const last = lines.read(tail.toString('utf8', begin, end))
  const isCutOff = end === 0 && start === 0 && tail.toString().startsWith(lines.begins)
  if (last === undefined && !isCutOff) throw new Error(`it is not an audit of ${lines.of}`)
  if (isRepaired && end < bytesRead) await handle.truncate(start + end)
  return last
}
