// Which of several limits holds at a time of the day. Pure.

import type { Direction, Hours, LimitRule } from './operations.ts'

/** The rule that holds at this minute of the day: the last that was given with such hours, else the plain one. */
export function ruleAt(
  rules: readonly LimitRule[],
  direction: Direction,
  minute: number,
): LimitRule | undefined {
  const all = rules.filter((rule) => rule.direction === direction && rule.entry === undefined)
  return (
    all.findLast(({ hours }) => hours !== undefined && isWithin(minute, hours)) ??
    all.findLast(({ hours }) => hours === undefined)
  )
}

/** Hours may go on behind midnight. */
function isWithin(minute: number, { fromMinute, toMinute }: Hours): boolean {
  if (fromMinute < toMinute) return minute >= fromMinute && minute < toMinute
  return minute >= fromMinute || minute < toMinute
}

/** Minutes since midnight, by the clock on the wall. */
export function minuteOf(time: Date): number {
  return time.getHours() * 60 + time.getMinutes()
}
