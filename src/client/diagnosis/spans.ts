// Spans of time in words. Pure.

const units: readonly (readonly [word: string, ms: number])[] = [
  ['days', 24 * 60 * 60_000],
  ['h', 60 * 60_000],
  ['min', 60_000],
  ['s', 1000],
]

/** `12 s`, `5 min`, `3 h`, `2 days`: the largest unit of which there are at least two, or seconds. */
export function spanOf(ms: number): string {
  const [word, unitMs] = units.find(([, each]) => ms >= 2 * each) ?? ['s', 1000]
  return `${Math.max(0, Math.round(ms / unitMs))} ${word}`
}
