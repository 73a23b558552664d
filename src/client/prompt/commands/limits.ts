// The command for rate limits: plain ones, and others by the hour.

import { accept, refuse, type Answer } from '../../../common/refusal.ts'
import { minuteOf, ruleAt } from '../../limit-rules.ts'
import type { Direction, Hours, LimitRule, Operations } from '../../operations.ts'
import type { Line } from '../../../common/terminal/line.ts'
import { formatTimeOfDay, parseTimeOfDay } from '../text/hours.ts'
import { formatRate, parseRate } from '../../../common/rates.ts'
import type { CallFlags, PromptCommand, Reply, ReplyData, Surroundings } from './command.ts'

const usage = 'limit <upload|download> <rate>'

export const limitCommand: PromptCommand = {
  name: 'limit',
  words: '[upload|download] [rate] [group] [name]',
  summary:
    'limit all uploads or downloads together, or those of one file, to bytes a second: 512K, 4M, none; without words, show the limits. One with hours is kept for later starts; none removes those too',
  examples: [
    'limit upload 512K',
    'limit download none',
    'limit upload 512K --from 8:00 --to 18:00',
    'limit upload 64K family film.mkv',
  ],
  flags: [
    { flag: '--from <time>', summary: 'every day from this time on, local time, such as 8:00' },
    { flag: '--to <time>', summary: 'until this time, if need be of the next day' },
  ],
  run: limit,
}

async function limit(
  { operations }: Surroundings,
  [direction, rate, group, name]: readonly (string | undefined)[],
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
  const entry = entryOf(group, name, hours.value)
  if (!entry.ok) return entry
  const rule = { ...ruleOf(direction, parsed.value, hours.value), ...(entry.value && { entry: entry.value }) }
  const done = await operations.setLimit(rule)
  if (!done.ok) return done
  const holding = await holdingInstead(operations, rule)
  if (holding === undefined) return accept({ lines: [lineOf(rule)], data: asData(rule) })
  const until = formatTimeOfDay(holding.hours.toMinute)
  const text = `it begins at ${until}; until then: ${lineOf(holding).text}`
  return accept({ lines: [lineOf(rule), { text }], data: { ...asData(rule), waitsUntil: until } })
}

/** The one by the hour that holds now in place of a plain one. */
async function holdingInstead(
  operations: Operations,
  { direction, bytesPerSecond, hours, entry }: LimitRule,
): Promise<(LimitRule & { hours: Hours }) | undefined> {
  // None takes those by the hour away.
  if (hours !== undefined || entry !== undefined || bytesPerSecond === undefined) return undefined
  const rule = ruleAt(await operations.listLimits(), direction, minuteOf(new Date()))
  return rule?.hours === undefined ? undefined : { ...rule, hours: rule.hours }
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

/** The entry that is limited by itself; undefined for all transfers. */
function entryOf(
  group: string | undefined,
  name: string | undefined,
  hours: Hours | undefined,
): Answer<LimitRule['entry']> {
  if (group === undefined) return accept(undefined)
  if (name === undefined) return refuse('usage', `a name is missing: ${usage} <group> <name>`)
  if (hours !== undefined)
    return refuse('usage', 'a limit of one file has no hours; leave out --from and --to')
  return accept({ group, name })
}

/** The hours that the flags say; undefined for the whole day. */
function hoursOf(flags: CallFlags): Answer<Hours | undefined> {
  const [from, to] = [flags.get('--from'), flags.get('--to')]
  if (from === undefined && to === undefined) return accept(undefined)
  if (from === undefined || to === undefined)
    return refuse('usage', `--from and --to go together: ${usage} --from 8:00 --to 18:00`)
  const [fromMinute, toMinute] = [parseTimeOfDay(from), parseTimeOfDay(to)]
  if (!fromMinute.ok) return fromMinute
  if (!toMinute.ok) return toMinute
  if (fromMinute.value % (24 * 60) === toMinute.value % (24 * 60))
    return refuse('usage', '--from and --to are the same; leave both out for all day')
  return accept({ fromMinute: fromMinute.value, toMinute: toMinute.value })
}

function lineOf({ direction, bytesPerSecond, hours, entry }: LimitRule): Line {
  const what = entry === undefined ? direction : `${direction} of ${entry.name} from ${entry.group}`
  const when =
    hours === undefined
      ? ''
      : ` from ${formatTimeOfDay(hours.fromMinute)} to ${formatTimeOfDay(hours.toMinute)}`
  const text =
    bytesPerSecond === undefined
      ? `${what} is not limited${when}`
      : `${what} limited to ${formatRate(bytesPerSecond)} bytes a second${when}`
  return { text, hanging: 4 }
}

function asData({ direction, bytesPerSecond, hours, entry }: LimitRule): ReplyData {
  const times = hours && { from: formatTimeOfDay(hours.fromMinute), to: formatTimeOfDay(hours.toMinute) }
  return { direction, bytesPerSecond: bytesPerSecond ?? null, ...times, ...entry }
}
