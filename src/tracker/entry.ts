// An entry of the log: a command in its envelope. A tracker reads its own entries back like any other's, so what is
// applied is exactly what is in the log.

import { Failure } from '../common/failure.ts'
import { checkCommand } from './state/command-shapes.ts'
import type { Command } from './state/commands.ts'

export interface Entry {
  /** Random, of the process that appended it. With `number` it tells that process which of its commands this is. */
  readonly origin: string
  readonly number: number
  /** By the clock of the tracker that appended it, in milliseconds since 1970; 0 in logs of version 0.1. */
  readonly atMs: number
  /** The address that the command came from; undefined for a tracker's own, and in logs of version 0.1. */
  readonly from: string | undefined
  /** See `At`. */
  readonly after?: number | undefined
  readonly command: Command
}

/** Version of the envelope. Logs of version 0.1 have no `v`, `atMs`, `from` or `after`. */
const formatVersion = 1

export function encodeEntry({ origin, number, atMs, from, after, command }: Entry): string {
  return JSON.stringify({ v: formatVersion, origin, number, atMs, from, after, command })
}

/** Throws a `data` failure for an entry that this version cannot apply, with what to do. */
export function parseEntry(position: number, text: string): Entry {
  const fields = fieldsOf(position, text)
  const { v = formatVersion, origin, number, atMs = 0, from, after, command } = fields
  const kind = checkCommand(command)
  if (v !== formatVersion || kind === 'unknown') {
    throw new Failure(
      'data',
      `entry ${position} of the log is from a newer version of the tracker; update this one`,
    )
  }
  const isWhole =
    typeof origin === 'string' &&
    typeof number === 'number' &&
    typeof atMs === 'number' &&
    Number.isFinite(atMs) &&
    (from === undefined || typeof from === 'string') &&
    (after === undefined || typeof after === 'number')
  if (kind === 'malformed' || !isWhole) {
    throw new Failure(
      'data',
      `entry ${position} of the log was not written by a tracker; restore a copy of the log, and let only trackers write to it`,
    )
  }
  return { origin, number, atMs, from, after, command: command as Command }
}

function fieldsOf(position: number, text: string): Record<string, unknown> {
  try {
    const fields: unknown = JSON.parse(text)
    if (typeof fields === 'object' && fields !== null) return fields as Record<string, unknown>
  } catch (error) {
    throw new Failure('data', `entry ${position} of the log is damaged; restore a copy of the log`, error)
  }
  throw new Failure('data', `entry ${position} of the log is damaged; restore a copy of the log`)
}
