// Writes all of some bytes, long ones in parts. Of a write, the system makes blocks of memory as long as it: those of a piece are cut from
// the largest free ones, which the host of a virtual machine takes back while they are free, and gives again for five
// times the cost of the write. Blocks of a part come from a list of those in recent use.

import { writeSync } from 'node:fs'
import { compiledFile, loadCompiled } from '../../common/compiled-file.ts'
import { systemError } from './system-error.ts'

/** Measured beside 4 to 512 KiB: on memory in use everywhere, a file of 1 GiB takes 0.05 s longer than in one go. */
const partBytes = 32 * 1024

/** Writes all of these bytes at this offset in bytes. Throws the system's error. */
export type WriteParts = (file: number, bytes: Uint8Array, offset: number) => void

export const writeParts = loadWriteParts(compiledFile('write-parts.node')) ?? writePartsHere

/** Appends all of these bytes, in one go, to what was written with this descriptor. Throws the system's error. */
export function writeAll(file: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(file, bytes, at)
}

/** That of write-parts.c, compiled at `path`; undefined when it is missing. */
export function loadWriteParts(path: string): WriteParts | undefined {
  const compiled = loadCompiled<{
    /** Returns 0, or the number of the system's error. */
    readonly writeParts: (file: number, bytes: Uint8Array, offset: number, partBytes: number) => number
  }>(path).writeParts
  if (compiled === undefined) return undefined
  return (file, bytes, offset) => {
    const problem = compiled(file, bytes, offset, partBytes)
    if (problem !== 0) throw systemError(-problem, 'write')
  }
}

/** The fallback with Node's function. */
export function writePartsHere(file: number, bytes: Uint8Array, offset: number): void {
  for (let at = 0; at < bytes.length;)
    at += writeSync(file, bytes, at, Math.min(partBytes, bytes.length - at), offset + at)
}
