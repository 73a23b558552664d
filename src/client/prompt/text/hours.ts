// Parses and formats times of the day as people write them: `8:00`, `08:30`, `18`, and `24:00` for the end of the day.
// Pure.

import type { Answer } from '../../../common/refusal.ts'
import { accept, refuse } from '../../../common/refusal.ts'

const minutesOfDay = 24 * 60

/** Returns minutes since midnight, up to those of 24:00. */
export function parseTimeOfDay(text: string): Answer<number> {
  const [whole, hour, minute = '0'] = /^(\d{1,2})(?::([0-5]\d))?$/.exec(text) ?? []
  const minutes = Number(hour) * 60 + Number(minute)
  if (whole === undefined || minutes > minutesOfDay)
    return refuse('usage', `"${text}" is not a time of the day like 8:00`)
  return accept(minutes)
}

export function formatTimeOfDay(minutes: number): string {
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`
}
