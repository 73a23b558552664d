// Says in a pipe how something gets on, apart from the replies: rarely, since it may go into a log.

import { atMost } from '../../common/at-most.ts'
import type { Progress } from './commands/command.ts'

const lookEveryMs = 1000
/** Between two lines at least both. */
const sayEveryMs = 10_000
const sayEveryPercent = 10

/**
 * Looks every second until the work has ended, well or not. Says a line when another tenth is done and ten seconds have
 * passed, so what takes less says nothing. Rejects as `look` does.
 */
export async function reportProgress(
  work: Promise<unknown>,
  look: () => Promise<Progress | undefined>,
  say: (sentence: string) => void,
): Promise<void> {
  const ended = work.then(
    () => true,
    () => true,
  )
  let said = { percent: 0, atMs: performance.now() }
  let isFirst = true
  while ((await atMost(ended, lookEveryMs)) === undefined) {
    const seen = await look()
    if (seen === undefined) continue
    // What was there before is none of this progress, and more to do may have come.
    if (isFirst || seen.percent < said.percent) said = { ...said, percent: seen.percent }
    isFirst = false
    const atMs = performance.now()
    if (seen.percent - said.percent < sayEveryPercent || atMs - said.atMs < sayEveryMs) continue
    say(seen.sentence)
    said = { percent: seen.percent, atMs }
  }
}
