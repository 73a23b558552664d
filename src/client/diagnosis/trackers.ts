// Why no tracker can be used, by what is known of each. Pure.

import type { TrackerEvidence, TrackerState } from './evidence.ts'
import { finding, type Finding, type WhyCode } from './reasons.ts'

const codes: Readonly<Record<Exclude<TrackerState, 'up'>, WhyCode>> = {
  'another-key': 'tracker-key',
  version: 'tracker-version',
  full: 'tracker-refuses',
  'login-refused': 'tracker-refuses',
  'other-community': 'tracker-other',
  'not-a-tracker': 'tracker-other',
  connecting: 'tracker-gone',
  silent: 'tracker-gone',
  hangs: 'tracker-gone',
}

/** What a person has to see to comes first. */
const order: readonly WhyCode[] = [
  'tracker-key',
  'tracker-version',
  'tracker-refuses',
  'tracker-other',
  'tracker-gone',
]

/** Nothing while one of them can be used: one is enough. */
export function whyNoTracker(trackers: readonly TrackerEvidence[]): Finding[] {
  if (trackers.some(({ state }) => state === 'up')) return []
  return order.flatMap((code) => {
    const those = trackers.filter(({ state }) => state !== 'up' && codes[state] === code)
    const [first] = those
    if (first === undefined) return []
    const addresses = those.map(({ address }) => address)
    const sinceMs = Math.min(...those.map((one) => one.sinceMs))
    const silence = `no answer from ${those.length === 1 ? 'tracker' : 'trackers'} ${addresses.join(', ')}`
    const sentence = code === 'tracker-gone' ? silence : (first.sentence ?? undefined)
    return [finding(code, sentence, { addresses, sinceMs })]
  })
}
