// What a program needs to be watched by Prometheus: the server, and what measures the event loop meanwhile.

import type { Address } from '../addresses.ts'
import { EventLoopLag } from './event-loop-lag.ts'
import type { Family } from './exposition.ts'
import { MetricsServer } from './metrics-server.ts'

export interface MetricsService {
  /** With the port that was really taken. */
  readonly address: Address
  readonly close: () => Promise<void>
}

/** `families` is asked at every scrape. Rejects with a `start` failure when the port is taken. */
export async function serveMetricsOn(
  port: number,
  families: (loop: EventLoopLag) => Family[],
): Promise<MetricsService> {
  const loop = new EventLoopLag()
  const server = new MetricsServer(() => families(loop))
  const address = await server.listen(port)
  return {
    address,
    close: () => {
      loop.stop()
      return server.close()
    },
  }
}
