// A seal for a file that only this program may write: after each of its writes, it sets the modification time
// to a value that nobody else would choose. A write by anybody else sets the time of that write, which breaks
// the seal. A system clock is too coarse to tell two writes in one tick apart; the seal needs no clock. It
// cannot detect a foreign write during one of our own; part-watch.ts does.

import { randomInt } from 'node:crypto'
import { fstatSync, futimesSync } from 'node:fs'

/** A modification time in whole seconds since 1970, which every file system can store; 0 means no seal. */
export type Seal = number

const daySeconds = 86_400

/** Random, one to two days ago, so that two programs that write to one file break each other's seals. */
export function newSeal(): Seal {
  return Math.floor(Date.now() / 1000) - daySeconds - randomInt(daySeconds)
}

/** Sets the seal unless it is 0. Throws the system's error. */
export function setSeal(file: number, seal: Seal): void {
  if (seal !== 0) futimesSync(file, seal, seal)
}

/** Whether nobody else has written since the seal was set; true without one. Throws the system's error. */
export function isSealed(file: number, seal: Seal): boolean {
  return seal === 0 || fstatSync(file).mtimeMs === seal * 1000
}
