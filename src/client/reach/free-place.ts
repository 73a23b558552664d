// Waits until a connection between two places can be made. The system lets no second one be between the same two addresses
// and ports, and one that closes still needs a moment.

import { setTimeout } from 'node:timers/promises'
import { systemCallOf } from '../../common/failure.ts'

const againAfterMs = 60

/**
 * Repeats `open` while another connection is between the same two places, at most for so many milliseconds; then, and when
 * it fails otherwise, rejects as `open` did. Ends soon after the signal aborts.
 */
export async function oncePlaceIsFree<T>(
  open: () => Promise<T>,
  { withinMs, signal }: { readonly withinMs: number; readonly signal: AbortSignal },
): Promise<T> {
  const untilMs = performance.now() + withinMs
  for (;;) {
    try {
      return await open()
    } catch (error) {
      if (!isTaken(error) || signal.aborted || performance.now() >= untilMs) throw error
      await passed(againAfterMs, signal)
    }
  }
}

function isTaken(error: unknown): boolean {
  const call = systemCallOf(error)
  // By `bind` it would be this end's address that is not there.
  return call === 'connect EADDRNOTAVAIL' || call === 'connect EADDRINUSE'
}

/** Resolves after so many milliseconds, or when the signal aborts. */
export function passed(ms: number, signal: AbortSignal): Promise<void> {
  return setTimeout(ms, undefined, { signal }).catch(() => undefined)
}
