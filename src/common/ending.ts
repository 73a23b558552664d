// What both programs need to end well: the exit code of a signal, hang-ups, and output that is still on its way.

import { constants } from 'node:os'
import type { Writable } from 'node:stream'

/** How a shell names an end by a signal: 128 and the signal's number. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

/**
 * Calls `end` when the terminal is closed, unless hang-ups are ignored. Node gives every signal its default
 * action back at start, so what `nohup` asked for is known to the launcher alone, which then listens already.
 */
export function onHangUp(end: () => void): void {
  if (process.listenerCount('SIGHUP') === 0) process.on('SIGHUP', end)
}

/**
 * Resolves when all that was written to the stream has been taken; to false when it never will be. To a pipe
 * whose reader is slow Node writes later, and `process.exit` throws away what is left. A reader that does not
 * read is waited for until `stop`.
 */
export function whenWritten(stream: Writable, stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    stop.addEventListener('abort', () => resolve(false), { once: true })
    if (stop.aborted) resolve(false)
    // Writes are done in their order.
    stream.write('', (error) => resolve(error === null || error === undefined))
  })
}
