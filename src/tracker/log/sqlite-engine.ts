// Chooses the SQLite of the log: Node's own where it is a stable part of Node, else that of a package. Both have the same
// functions and files, so trackers of either kind may share a data file, one after the other or at once.

import type * as packaged from '@photostructure/sqlite'

export type Database = packaged.DatabaseSyncInstance
export type Statement = packaged.StatementSyncInstance

type Engine = Pick<typeof packaged, 'DatabaseSync' | 'backup'>

/**
 * Whether the Node of this version (`24.15.0`) brings a SQLite to rely on. Earlier ones print a warning about theirs, and
 * have a version in which several processes could damage a file while one of them resets its write-ahead log.
 */
export function hasBuiltInSqlite(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 25 || (major === 24 && minor >= 15)
}

async function chosenEngine(): Promise<Engine> {
  const builtIn = hasBuiltInSqlite(process.versions.node) ? builtInEngine() : undefined
  return builtIn ?? (await import('@photostructure/sqlite'))
}

/** Undefined for a Node that was built without it. Has no import: Node 20 cannot resolve that. */
function builtInEngine(): Engine | undefined {
  return process.getBuiltinModule('node:sqlite') as Engine | undefined
}

/** Never open a file with both engines in one process: closing one would give up the locks of the other. */
export const { DatabaseSync, backup } = await chosenEngine()
