// The command for rate limits: plain ones, and others by the hour.

import { accept, refuse, type Answer } from '../../../common/refusal.ts'
import type { Direction, Hours, LimitRule } from '../../operations.ts'
import type { Line } from '../text/line.ts'
import { formatTimeOfDay, parseTimeOfDay } from '../text/hours.ts'
import { formatRate, parseRate } from '../text/rates.ts'
import type { CallFlags, PromptCommand, Reply, ReplyData, Surroundings } from './command.ts'
import { say, withData } from './command.ts'

const usage = 'limit <upload|download> <rate>'

export const limitCommand: PromptCommand = {
  name: 'limit',
  words: '[upload|download] [rate]',
  summary:
    'bytes a second of all transfers: 512K, 4M, none; without words, show the limits. One by the hour stays for later starts; none takes all of a direction away',
  flags: [
    { flag: '--from <time>', summary: 'every day from this hour, local time, such as 8:00' },
    { flag: '--to <time>', summary: 'and until this one, also of the next day' },
  ],
  run: limit,
}

async function limit(
  { operations }: Surroundings,
  [direction, rate]: readonly (string | undefined)[],
  flags: CallFlags,
): Promise<Answer<Reply>> {
  if (direction === undefined) {
    const rules = await operations.listLimits()
    return accept({ lines: rules.map(lineOf), data: { limits: rules.map(asData) } })
  }
  if (direction !== 'upload' && direction !== 'download')
    return refuse('usage', `"${direction}" is neither upload nor download: ${usage}`)
  if (rate === undefined) return refuse('usage', `limit needs a rate: ${usage}`)
  const parsed = parseRate(rate)
  if (!parsed.ok) return parsed
  const hours = hoursOf(flags)
  if (!hours.ok) return hours
  const rule = ruleOf(direction, parsed.value, hours.value)
  await operations.setLimit(rule)
  return withData(say(lineOf(rule).text), asData(rule))
}

function ruleOf(
  direction: Direction,
  bytesPerSecond: number | undefined,
  hours: Hours | undefined,
): LimitRule {
  return {
    direction,
    ...(bytesPerSecond !== undefined && { bytesPerSecond }),
    ...(hours !== undefined && { hours }),
  }
}

/** The hours that the flags say; undefined for the whole day. */
function hoursOf(flags: CallFlags): Answer<Hours | undefined> {
  const [from, to] = [flags.get('--from'), flags.get('--to')]
  if (from === undefined && to === undefined) return accept(undefined)
  if (from === undefined || to === undefined)
    return refuse('usage', `hours have a beginning and an end: ${usage} --from 8:00 --to 18:00`)
  const [fromMinute, toMinute] = [parseTimeOfDay(from), parseTimeOfDay(to)]
  if (!fromMinute.ok) return fromMinute
  if (!toMinute.ok) return toMinute
  if (fromMinute.value % (24 * 60) === toMinute.value % (24 * 60))
    return refuse('usage', 'these hours begin when they end; leave both out for the whole day')
  return accept({ fromMinute: fromMinute.value, toMinute: toMinute.value })
}

function lineOf({ direction, bytesPerSecond, hours }: LimitRule): Line {
  const when =
    hours === undefined
      ? ''
      : ` from ${formatTimeOfDay(hours.fromMinute)} to ${formatTimeOfDay(hours.toMinute)}`
  const text =
    bytesPerSecond === undefined
      ? `${direction} is not limited${when}`
      : `${direction} limited to ${formatRate(bytesPerSecond)} bytes a second${when}`
  return { text }
}

function asData({ direction, bytesPerSecond, hours }: LimitRule): ReplyData {
  const times = hours && { from: formatTimeOfDay(hours.fromMinute), to: formatTimeOfDay(hours.toMinute) }
  return { direction, bytesPerSecond: bytesPerSecond ?? null, ...times }
}
