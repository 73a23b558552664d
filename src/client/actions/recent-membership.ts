// Whether the user is a member of a group, asked once for uploads that follow each other closely. It is asked only to refuse
// early: the trackers decide when the upload is registered.

import type { Answer } from '../../common/refusal.ts'
import type { TrackerLink } from '../tracker-link/tracker-link.ts'

/** For how long a yes is believed. */
const believedMs = 1000

/** What was asked last. */
interface Asked {
  readonly group: string
  /** Whoever was logged in. */
  readonly session: object
  readonly atMs: number
  readonly answer: Promise<Answer<unknown>>
}

export class RecentMembership {
  readonly #link: Pick<TrackerLink, 'ask'>
  readonly #nowMs: () => number
  #last: Asked | undefined

  constructor(link: Pick<TrackerLink, 'ask'>, nowMs = (): number => performance.now()) {
    this.#link = link
    this.#nowMs = nowMs
  }

  /** Accepts for a member. A no is always new. Rejects with a failure when no tracker answers. */
  async check(session: object, group: string): Promise<Answer<unknown>> {
    const last = this.#last
    const isRecent = last?.session === session && last.group === group
    if (isRecent && this.#nowMs() - last.atMs < believedMs) {
      const answer = await last.answer.catch(() => undefined)
      if (answer?.ok === true) return answer
    }
    const answer = this.#link.ask('list_members', { group })
    this.#last = { group, session, atMs: this.#nowMs(), answer }
    return answer
  }
}
