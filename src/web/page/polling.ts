// Keeps what is shown up to date while somebody can see it: what moves once a second, lists every ten seconds and when
// something has happened. The next round begins after the answers of the last one, so a busy client is not asked more.

import type { Loads } from './loads.ts'

const roundMs = 1000
const roundsOfLists = 10

export interface Polling {
  /** Lists have changed, or others are looked at: asks at once. */
  soon(): void
}

/** `page`: is asked for nothing while it is hidden, and at once when it is seen again. */
export function startPolling(
  loads: Loads,
  mayAsk: () => boolean,
  page: Pick<Document, 'visibilityState' | 'addEventListener'>,
): Polling {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isAsking = false
  let rounds = 0
  let wantsLists = true

  const isSeen = (): boolean => page.visibilityState === 'visible' && mayAsk()

  const round = async (): Promise<void> => {
    if (isAsking || !isSeen()) return
    isAsking = true
    clearTimeout(timer)
    const withLists = wantsLists || rounds % roundsOfLists === 0
    wantsLists = false
    rounds++
    try {
      await Promise.all([loads.live(), withLists ? loads.lists() : undefined])
    } finally {
      isAsking = false
      timer = setTimeout(() => void round(), wantsLists ? 0 : roundMs)
    }
  }

  page.addEventListener('visibilitychange', () => void round())
  return {
    soon() {
      wantsLists = true
      void round()
    },
  }
}
