// Parses durations as people write them: `90`, `90s`, `5m`, `2h`, `1d`. A plain number is seconds. Pure.

import type { Answer } from '../../../common/refusal.ts'
import { accept, refuse } from '../../../common/refusal.ts'

const units: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/** The longest that a timer of the system takes, a good three weeks. */
const longestMs = 2 ** 31 - 1

/** Returns milliseconds; refuses what is no duration, none at all, or longer than a timer takes. */
export function parseDuration(text: string): Answer<number> {
  const split = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/i.exec(text)
  const unit = units.get((split?.[2] ?? 's').toLowerCase())
  if (split === null || unit === undefined)
    return refuse('usage', `"${text}" is not a duration like 90s, 5m or 2h`)
  const ms = Math.round(Number(split[1]) * unit)
  if (ms < 1) return refuse('usage', 'a duration is at least 1ms')
  if (ms > longestMs) return refuse('usage', `"${text}" is too long; 24d is the most`)
  return accept(ms)
}
