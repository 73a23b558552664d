// Parses and formats rates as people write them: `512K`, `4M`, `1.5G` bytes per second in powers of 1024, a
// plain number of bytes, or `none` for no limit. `5MB`, `5MiB/s` and `5M` mean the same.

import type { Answer } from './refusal.ts'
import { accept, refuse } from './refusal.ts'

const units: ReadonlyMap<string, number> = new Map([
  ['G', 1024 ** 3],
  ['M', 1024 ** 2],
  ['K', 1024],
  ['', 1],
])

/** Returns bytes per second; undefined means no limit. */
export function parseRate(text: string): Answer<number | undefined> {
  if (text === 'none') return accept(undefined)
  const split = /^(\d+(?:\.\d+)?)([KMG]?)(?:i?B)?(?:\/s)?$/i.exec(text)
  const unit = units.get((split?.[2] ?? '').toUpperCase())
  if (split === null || unit === undefined)
    return refuse('usage', `"${text}" is not a rate like 512K, 4M or none`)
  const bytes = Math.round(Number(split[1]) * unit)
  // At a rate of zero a transfer would never end; commands exist to stop one.
  if (bytes < 1) return refuse('usage', 'a rate is at least 1 byte a second; none removes the limit')
  if (!Number.isSafeInteger(bytes))
    return refuse('usage', `the rate "${text}" is too high; none removes the limit`)
  return accept(bytes)
}

/** The shortest text that `parseRate` reads as exactly this rate. */
export function formatRate(bytesPerSecond: number | undefined): string {
  if (bytesPerSecond === undefined) return 'none'
  for (const [letter, unit] of units) {
    if (bytesPerSecond % unit === 0) return `${bytesPerSecond / unit}${letter}`
  }
  return String(bytesPerSecond)
}

/** A measured speed, rounded for reading. */
export function formatSpeed(bytesPerSecond: number): string {
  if (bytesPerSecond >= 1024 ** 3) return `${(bytesPerSecond / 1024 ** 3).toFixed(1)} GiB/s`
  if (bytesPerSecond >= 1024 ** 2) return `${(bytesPerSecond / 1024 ** 2).toFixed(1)} MiB/s`
  return `${Math.round(bytesPerSecond / 1024)} KiB/s`
}
