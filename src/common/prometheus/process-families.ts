// What is measured of any program.

import type { EventLoopLag } from './event-loop-lag.ts'
import { single, type Family } from './exposition.ts'

export function processFamilies(loop: EventLoopLag): Family[] {
  const { user, system } = process.cpuUsage()
  return [
    single(
      'gauge',
      'process_resident_memory_bytes',
      'Resident memory size in bytes.',
      process.memoryUsage.rss(),
    ),
    // Grows with what is kept, and shows whether resident memory does or is only not given back.
    single(
      'gauge',
      'nodejs_heap_size_used_bytes',
      'Size of the JavaScript heap in bytes, garbage included.',
      process.memoryUsage().heapUsed,
    ),
    single('counter', 'process_cpu_seconds_total', 'CPU time spent in seconds.', (user + system) / 1e6),
    single(
      'gauge',
      'coterie_event_loop_lag_seconds',
      'The longest that anything had to wait for its turn since the last scrape.',
      loop.takeLongestMs() / 1000,
    ),
  ]
}
