// A tracker in this process, on a free port, and clients that talk to it over real sockets.

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import type { Failure } from '../../../src/common/failure.ts'
import type { Encryption } from '../../../src/common/wire/protection.ts'
import type { NatsAddress } from '../../../src/tracker/log/nats/nats-address.ts'
import { startTracker, type Tracker, type TrackerOptions } from '../../../src/tracker/tracker.ts'

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Ends with the test. In memory unless there is a folder. */
export function runTracker(
  dataFolder?: string,
  number = 1,
  nats?: NatsAddress,
  encryption: Encryption = 'beyond',
): Promise<Tracker> {
  return runTrackerWith({ dataFolder, number, nats, encryption })
}

/** Likewise, with these options. */
export async function runTrackerWith(options: Partial<TrackerOptions>): Promise<Tracker> {
  const tracker = await startTracker({
    address: { host: '127.0.0.1', port: 0 },
    number: 1,
    dataFolder: undefined,
    ...options,
    log: pino({ level: 'silent' }),
    onLost: (failure: Failure) => {
      throw failure
    },
  })
  onTestFinished(() => tracker.close())
  return tracker
}

export function commandId(): string {
  return randomBytes(12).toString('base64url')
}
