// The engines of the log, for sentences that must hold for each of them.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, onTestFinished } from 'vitest'
import type { CommandLog } from '../../../src/tracker/log/command-log.ts'
import { MemoryLog } from '../../../src/tracker/log/memory-log.ts'
import { parseNatsAddress, type NatsAddress } from '../../../src/tracker/log/nats/nats-address.ts'
import { NatsLog, type NatsLogOptions } from '../../../src/tracker/log/nats/nats-log.ts'
import { SqliteLog } from '../../../src/tracker/log/sqlite-log.ts'
import { natsIsMissing, startNats, type NatsServer } from '../support/nats-server.ts'
import { temporaryFolder } from '../support/test-tracker.ts'

export interface Engine {
  /** Says so when its tests are skipped, and why. */
  readonly name: string
  /** Empty when its tests can run. */
  readonly isMissing: string
  /** A new log; the function opens it once more at each call, and keeps nothing behind a snapshot. */
  readonly make: () => () => Promise<CommandLog>
}

let server: NatsServer | undefined

/** One server for all tests of a file: each test has a log of its own name. */
export function useNats(): void {
  if (natsIsMissing !== '') return
  const folder = mkdtempSync(join(tmpdir(), 'coterie-nats-'))
  beforeAll(async () => {
    server = await startNats(folder)
  })
  afterAll(async () => {
    await server?.kill()
    rmSync(folder, { recursive: true, force: true })
  })
}

/** Of a log that nobody else uses, at the server of `useNats`. */
export function freshNatsAddress(): NatsAddress {
  return parseNatsAddress(`nats://${server?.address ?? ''}/t${randomBytes(6).toString('hex')}`)
}

/** Closed when the test is over. */
export async function openNats(address: NatsAddress, options: NatsLogOptions = {}): Promise<NatsLog> {
  const log = await NatsLog.open(address, { entriesKept: 0, ...options })
  onTestFinished(() => log.close())
  return log
}

export const engines: readonly Engine[] = [
  {
    name: 'SQLite file',
    isMissing: '',
    make: () => {
      const path = join(temporaryFolder(), 'log.sqlite')
      return () => {
        const log = new SqliteLog(path, 0)
        onTestFinished(() => log.close())
        return Promise.resolve(log)
      }
    },
  },
  {
    name: 'memory',
    isMissing: '',
    make: () => {
      const log = new MemoryLog()
      return () => Promise.resolve(log)
    },
  },
  {
    name: `NATS${natsIsMissing}`,
    isMissing: natsIsMissing,
    make: () => {
      const address = freshNatsAddress()
      return () => openNats(address)
    },
  },
]
