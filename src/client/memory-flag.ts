// Keeps V8 from reserving memory for what is garbage soon.

import { setFlagsFromString } from 'node:v8'

/**
 * V8 lets short-lived objects pile up in a space that it doubles up to 32 MiB while many are made, and what they hold
 * outside its heap, such as bytes that were read from a socket, piles up with them. A sharing client that 400
 * connections flood with requests took 185 MiB, and takes 120 with a space that does not grow. A download of 1 GiB
 * takes the same time.
 *
 * As with the compiler's flag, it applies to the version where it was measured: Node 20.
 */
const flags: ReadonlyMap<string, string> = new Map([['11.3', '--semi-space-growth-factor=1']])

/** `version` as in `process.versions.v8`. */
export function memoryFlag(version: string): string | undefined {
  return flags.get(version.split('.').slice(0, 2).join('.'))
}

/** Call it at the start, and when a thread has started: V8 then sets the flag back, for all threads. */
export function keepShortLivedSmall(): void {
  const flag = memoryFlag(process.versions.v8)
  if (flag !== undefined) setFlagsFromString(flag)
}
