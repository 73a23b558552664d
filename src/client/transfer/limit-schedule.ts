// The limits of all transfers: plain ones, and others for hours of the day, which hold instead of those meanwhile.

import { minuteOf, ruleAt } from '../limit-rules.ts'
import type { Direction, Hours, LimitRule } from '../operations.ts'
import type { TokenBucket } from '../../common/token-bucket.ts'

export interface LimitScheduleParts {
  readonly buckets: Readonly<Record<Direction, TokenBucket>>
  /** Those of earlier runs. */
  readonly rules: readonly LimitRule[]
  /** Called with all rules that have hours, when one of them has changed. */
  readonly onTimedRules: (rules: readonly TimedRule[]) => void
}

type TimedRule = LimitRule & { readonly hours: Hours }

const minuteMs = 60_000

export class LimitSchedule {
  readonly #parts: LimitScheduleParts
  #rules: readonly LimitRule[]
  #timer: NodeJS.Timeout | undefined

  constructor(parts: LimitScheduleParts) {
    this.#parts = parts
    const plain = (['upload', 'download'] as const).map((direction) => ({
      direction,
      bytesPerSecond: parts.buckets[direction].bytesPerSecond,
    }))
    this.#rules = [...plain, ...parts.rules]
    this.#apply()
  }

  /** In the order in which they were given; one without a rate says that there is no limit. */
  get rules(): readonly LimitRule[] {
    return this.#rules
  }

  /**
   * Adds a rule, in place of one with the same hours. One without hours and without a rate takes all others of its
   * direction away.
   */
  set(rule: LimitRule): void {
    const isWhole = rule.hours === undefined && rule.bytesPerSecond === undefined
    const before = this.#rules
    const isReplaced = (old: LimitRule): boolean =>
      old.direction === rule.direction && (isWhole || isSameHours(old.hours, rule.hours))
    this.#rules = [...before.filter((old) => !isReplaced(old)), rule]
    this.#apply()
    const timed = this.#rules.filter(isTimed)
    if (rule.hours !== undefined || timed.length < before.filter(isTimed).length)
      this.#parts.onTimedRules(timed)
  }

  close(): void {
    clearTimeout(this.#timer)
  }

  /** Looks at the clock on the wall every minute: it may be set, or change between summer and winter, at any time. */
  #apply(): void {
    clearTimeout(this.#timer)
    const now = new Date()
    const minute = minuteOf(now)
    for (const direction of ['upload', 'download'] as const) {
      const bucket = this.#parts.buckets[direction]
      const rate = ruleAt(this.#rules, direction, minute)?.bytesPerSecond
      if (rate !== bucket.bytesPerSecond) bucket.setRate(rate)
    }
    if (!this.#rules.some(({ hours }) => hours !== undefined)) return
    const restMs = minuteMs - (now.getTime() % minuteMs)
    this.#timer = setTimeout(() => this.#apply(), restMs).unref()
  }
}

function isSameHours(one: Hours | undefined, other: Hours | undefined): boolean {
  return one?.fromMinute === other?.fromMinute && one?.toMinute === other?.toMinute
}

function isTimed(rule: LimitRule): rule is TimedRule {
  return rule.hours !== undefined
}
