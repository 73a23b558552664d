// What both programs need to end cleanly: exit codes of signals, hang-ups, and the end of pending output.

import { constants } from 'node:os'
import type { Writable } from 'node:stream'

/** The exit code that a shell reports for an end by a signal: 128 plus its number. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal]
}

/**
 * Calls `end` when the terminal is closed, unless hang-ups are ignored. Node resets signals to their default action at
 * start, so only the launcher knows of `nohup`, and adds a listener then.
 */
export function onHangUp(end: () => void): void {
  if (process.listenerCount('SIGHUP') === 0) process.on('SIGHUP', end)
}

/**
 * Resolves to true when the system has taken everything written to the stream; to false on an error, or at `stop`. Node
 * writes later to a pipe whose reader is slow, and `process.exit` discards what is left.
 */
export function whenWritten(stream: Writable, stop: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    stop.addEventListener('abort', () => resolve(false), { once: true })
    if (stop.aborted) resolve(false)
    // Writes complete in order.
    stream.write('', (error) => resolve(error === null || error === undefined))
  })
}
