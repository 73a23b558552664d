// Waits until trackers have the same state.

import { setTimeout } from 'node:timers/promises'
import type { TrackerProcess } from './tracker-process.ts'

/** How long they may take, in milliseconds. */
const agreementMs = 10_000
const lookEveryMs = 50

/** Milliseconds until all report the same digest; undefined when that takes too long. Nothing may be changing. */
export async function untilAgreed(trackers: readonly TrackerProcess[]): Promise<number | undefined> {
  const startedMs = performance.now()
  for (;;) {
    const digests = await Promise.all(trackers.map((tracker) => tracker.digest()))
    const elapsedMs = performance.now() - startedMs
    if (new Set(digests.map(({ digest, position }) => `${digest} at ${position}`)).size === 1)
      return elapsedMs
    if (elapsedMs > agreementMs) return undefined
    await setTimeout(lookEveryMs)
  }
}
