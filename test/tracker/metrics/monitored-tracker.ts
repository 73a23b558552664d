// A tracker in this process that answers Prometheus, and what it writes into its log.

import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { startTracker, type Tracker } from '../../../src/tracker/tracker.ts'

export interface Monitored {
  readonly tracker: Tracker
  /** Every line of its structured log, as it was written. */
  readonly lines: string[]
}

/** Ends with the test. Port 0 is any free one. */
export async function runMonitored(metricsPort = 0, dataFolder?: string): Promise<Monitored> {
  const lines: string[] = []
  const tracker = await startTracker({
    address: { host: '127.0.0.1', port: 0 },
    number: 1,
    dataFolder,
    metricsPort,
    log: pino({ level: 'info' }, { write: (line: string) => void lines.push(line) }),
    onLost: (failure) => {
      throw failure
    },
  })
  onTestFinished(() => tracker.close())
  return { tracker, lines }
}
