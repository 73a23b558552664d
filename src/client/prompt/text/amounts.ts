// Times and shares of a whole, as people read them. Pure.

import { pieceBytes } from '../../../common/limits.ts'

interface Pieces {
  readonly sizeBytes: number
  readonly pieceCount: number
  readonly piecesDone: number
}

/** `45 s`, `2 min 10 s`, `3 h 5 min`, `2 d 4 h`; undefined for what would take longer than a year. */
export function formatTime(seconds: number): string | undefined {
  const whole = Math.ceil(seconds)
  if (!(whole < 365 * 86_400)) return undefined
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return inTwo(whole, 60, 'min', 1, 's')
  if (whole < 86_400) return inTwo(whole, 3600, 'h', 60, 'min')
  return inTwo(whole, 86_400, 'd', 3600, 'h')
}

function inTwo(seconds: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % big) / small)
  return `${Math.floor(seconds / big)} ${bigUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`
}

/** Rounded down, so that only what is whole has 100. */
export function percentOf(part: number, whole: number): number {
  return whole <= 0 ? 100 : Math.floor((100 * Math.min(part, whole)) / whole)
}

/** Seconds until `bytes` have come at this rate; undefined when nothing comes. */
export function secondsFor(bytes: number, bytesPerSecond: number): number | undefined {
  return bytesPerSecond < 1 ? undefined : bytes / bytesPerSecond
}

/** A bar of this many columns. */
export function bar(part: number, whole: number, width: number): string {
  const full = whole <= 0 ? width : Math.floor((width * Math.min(part, whole)) / whole)
  return '█'.repeat(full) + '░'.repeat(width - full)
}

/**
 * Bytes of the pieces of a download: of all, of those here, and of those missing. The pieces of a part of a folder hold more
 * than what was chosen: `sizeBytes` is less.
 */
export function bytesOfPieces({
  sizeBytes,
  pieceCount,
  piecesDone,
}: Pieces): Record<'all' | 'done' | 'missing', number> {
  // The last piece may be short.
  const all = Math.max(sizeBytes, (pieceCount - 1) * pieceBytes)
  const done = piecesDone >= pieceCount ? all : Math.min(all, piecesDone * pieceBytes)
  return { all, done, missing: all - done }
}
