// A seal on a file that only this program may write: its modification time is set to a value that nobody
// else would give it, after each write of our own. A write by anybody else sets it to the time of that
// write, which breaks the seal. A system's clock is too coarse to tell two writes of one tick apart; the
// seal needs no clock. What it cannot see is a write of somebody else while one of our own is under way: that is
// for part-watch.ts.

import { randomInt } from 'node:crypto'
import { fstatSync, futimesSync } from 'node:fs'

/** A modification time in whole seconds since 1970, so that every file system can keep it; 0: no seal. */
export type Seal = number

const daySeconds = 86_400

/** Random, so that two programs that write to one file break each other's. It is one to two days ago. */
export function newSeal(): Seal {
  return Math.floor(Date.now() / 1000) - daySeconds - randomInt(daySeconds)
}

/** Sets the seal, if it is one. Throws the system's error. */
export function setSeal(file: number, seal: Seal): void {
  if (seal !== 0) futimesSync(file, seal, seal)
}

/** Whether nobody has written to the file since the seal was set; true without a seal. Throws the system's error. */
export function isSealed(file: number, seal: Seal): boolean {
  return seal === 0 || fstatSync(file).mtimeMs === seal * 1000
}
