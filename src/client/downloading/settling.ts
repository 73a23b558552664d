// Waits until downloads have ended: for a command or a script that needs them.

import { downloadName, type Fetched } from '../file-key.ts'
import type { AwaitedDownloads } from '../operations.ts'

/** What it needs of a download. */
interface Awaited {
  /** For how long it has had no reachable seeder. */
  readonly withoutPeersMs: number
  fail(why: string, how: { end: 'no-seeder' }): Promise<unknown>
}

/** Whether it runs and is one of those. */
export function isAwaited(
  { state, record }: { readonly state: string; readonly record: Fetched },
  { group, name }: AwaitedDownloads,
): boolean {
  if (state !== 'running') return false
  return (
    (group === undefined || record.group === group) && (name === undefined || downloadName(record) === name)
  )
}

/** How often to look for a seeder that is missing. */
const lookForSeedersMs = 500

export class Settling {
  readonly #waiters = new Set<() => void>()

  /** A download has ended, or has begun. */
  onChange(): void {
    const waiters = [...this.#waiters]
    this.#waiters.clear()
    for (const waiter of waiters) waiter()
  }

  /**
   * Resolves to true when none is `running`, and to false when `timeoutMs` are over before. Fails a download that has
   * had no reachable seeder for `giveUpWithoutSeederMs`, so that the caller does not wait for ever.
   */
  async until(
    running: () => readonly Awaited[],
    { giveUpWithoutSeederMs: giveUpMs, timeoutMs }: AwaitedDownloads,
  ): Promise<boolean> {
    const state = { isLate: false, wake: (): void => undefined }
    const onLate = (): void => {
      state.isLate = true
      state.wake()
    }
    const late = timeoutMs === undefined ? undefined : setTimeout(onLate, timeoutMs)
    const look =
      giveUpMs === undefined ? undefined : setInterval(() => giveUp(running(), giveUpMs), lookForSeedersMs)
    try {
      while (!state.isLate && running().length > 0)
        await new Promise<void>((resolve) => {
          state.wake = resolve
          this.#waiters.add(resolve)
        })
      return running().length === 0
    } finally {
      clearTimeout(late)
      clearInterval(look)
      this.#waiters.delete(state.wake)
    }
  }
}

function giveUp(running: readonly Awaited[], giveUpMs: number): void {
  for (const download of running) {
    if (download.withoutPeersMs < giveUpMs) continue
    const seconds = Math.round(giveUpMs / 1000)
    const why = `no seeder could be reached for ${seconds} s; it resumes at the next login`
    void download.fail(why, { end: 'no-seeder' })
  }
}
