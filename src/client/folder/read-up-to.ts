// Reads from an open file until there is no more, or no more room. A system may give less at a time.

import { readSync } from 'node:fs'

/** Fills `into` with what is in the file from this offset in bytes on; returns how many bytes were there. Throws the system's error. */
export function readUpTo(file: number, into: Uint8Array, offset: number): number {
  let filled = 0
  let count = -1
  while (filled < into.length && count !== 0) {
    count = readSync(file, into, filled, into.length - filled, offset + filled)
    filled += count
  }
  return filled
}
