// Keeps what is shown up to date while somebody can see it: what moves once a second, lists every five seconds and when
// something has happened. The next round begins after the answers of the last one, and after four times as long as they
// took: a page that shows a lot takes no more than a fifth of the client's time. Lists that take long, which means long
// lists, are asked for less often, since trackers have to tell them all.

import type { Loads } from './loads.ts'

const roundMs = 1000
const pausesPerRound = 4
const listsEveryMs = 5000
const pausesPerLists = 150

export interface Polling {
  /** Others are looked at, or the person has done something: asks for everything at once. */
  soon(): void
  /** Lists have changed: asks for them in the next round. */
  nextTime(): void
}

/** `page`: is asked for nothing while it is hidden, and at once when it is seen again. */
export function startPolling(
  loads: Loads,
  mayAsk: () => boolean,
  page: Pick<Document, 'visibilityState' | 'addEventListener'>,
): Polling {
  let timer: ReturnType<typeof setTimeout> | undefined
  let isAsking = false
  let isHurried = false
  let wantsLists = true
  let listsAtMs = 0

  const round = async (): Promise<void> => {
    if (isAsking || page.visibilityState !== 'visible' || !mayAsk()) return
    clearTimeout(timer)
    isAsking = true
    isHurried = false
    const beganMs = performance.now()
    const withLists = wantsLists || beganMs >= listsAtMs
    if (withLists) wantsLists = false
    try {
      await Promise.all([loads.live(), withLists ? lists() : undefined])
    } finally {
      isAsking = false
      const pauseMs = Math.max(roundMs, pausesPerRound * (performance.now() - beganMs))
      timer = setTimeout(() => void round(), isHurried ? 0 : pauseMs)
    }
  }

  const lists = async (): Promise<void> => {
    const beganMs = performance.now()
    await loads.lists()
    const nowMs = performance.now()
    listsAtMs = nowMs + Math.max(listsEveryMs, pausesPerLists * (nowMs - beganMs))
  }

  page.addEventListener('visibilitychange', () => void round())
  return {
    soon() {
      ;[wantsLists, isHurried] = [true, true]
      void round()
    },
    nextTime() {
      wantsLists = true
    },
  }
}
