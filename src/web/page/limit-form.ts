// Limits as the form has them, and as the client takes them. Pure.

import type { Direction, LimitRule } from '../../client/operations.ts'
import { formatTimeOfDay, parseTimeOfDay } from '../../client/prompt/text/hours.ts'
import { formatRate, parseRate } from '../../common/rates.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'

/** `from` and `to`: empty for the whole day. Refuses with what is wrong with a field. */
export function ruleFrom(direction: Direction, rate: string, from: string, to: string): Answer<LimitRule> {
  const parsed = parseRate(rate)
  if (!parsed.ok) return parsed
  const rule: LimitRule = { direction, ...(parsed.value !== undefined && { bytesPerSecond: parsed.value }) }
  if (from === '' && to === '') return accept(rule)
  if (from === '' || to === '')
    return refuse('usage', 'hours have a beginning and an end; leave both empty for the whole day')
  const [fromMinute, toMinute] = [parseTimeOfDay(from), parseTimeOfDay(to)]
  if (!fromMinute.ok) return fromMinute
  if (!toMinute.ok) return toMinute
  if (fromMinute.value === toMinute.value)
    return refuse('usage', 'the hours end when they begin; leave both empty for the whole day')
  return accept({ ...rule, hours: { fromMinute: fromMinute.value, toMinute: toMinute.value } })
}

export function rateText({ bytesPerSecond }: LimitRule): string {
  return bytesPerSecond === undefined ? 'not limited' : `${formatRate(bytesPerSecond)} bytes a second`
}

export function hoursText({ hours }: LimitRule): string {
  if (hours === undefined) return 'the whole day'
  return `${formatTimeOfDay(hours.fromMinute)} to ${formatTimeOfDay(hours.toMinute)}`
}
