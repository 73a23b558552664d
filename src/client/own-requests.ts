// The join requests of the user that were undecided when last heard of. Live, a tracker tells the decision; what was decided
// while the user was away is found out when a tracker is there: by how the user stands to the groups.

import { Failure } from '../common/failure.ts'
import type { Answer } from '../common/refusal.ts'
import type { ClientEvent } from './operations.ts'
import type { UserStore } from './storage/user-store.ts'
import { allGroups } from './tracker-link/listing.ts'
import type { TrackerLink } from './tracker-link/tracker-link.ts'

export interface OwnRequestsParts {
  readonly link: Pick<TrackerLink, 'ask'>
  readonly store: UserStore
  readonly onEvent: (event: ClientEvent) => void
}

/** A decision that was found in a listing may be on its way as news, too, for about as long. */
const alsoNewsMs = 10_000

export class OwnRequests {
  readonly #parts: OwnRequestsParts
  /** Asked for at this moment: no tracker may know of it yet. */
  readonly #underWay = new Set<string>()
  /** By group: when its decision was found in a listing. */
  readonly #foundAtMs = new Map<string, number>()
  #look: Promise<void> | undefined
  #isClosed = false

  constructor(parts: OwnRequestsParts) {
    this.#parts = parts
  }

  /** Asks to join by `ask`, and remembers it. It may be decided before the answer comes. */
  async asking(group: string, ask: () => Promise<Answer<void>>): Promise<Answer<void>> {
    const { store } = this.#parts
    const isKnown = store.requests().includes(group)
    void store.rememberRequest(group)
    this.#foundAtMs.delete(group)
    this.#underWay.add(group)
    let isSent = isKnown
    try {
      const answer = await ask()
      isSent ||= answer.ok || answer.refusal.code === 'already-requested'
      return answer
    } finally {
      this.#underWay.delete(group)
      // Another session of this user may have the file by now.
      if (!isSent && !this.#isClosed) void store.forgetRequest(group)
    }
  }

  /** A tracker tells of a decision. Returns whether that is news to the person. */
  onDecided(group: string): boolean {
    void this.#parts.store.forgetRequest(group)
    const foundAtMs = this.#foundAtMs.get(group) ?? Number.NEGATIVE_INFINITY
    this.#foundAtMs.delete(group)
    return performance.now() - foundAtMs > alsoNewsMs
  }

  /** A tracker is there: finds out what was decided meanwhile. Resolves when that is told; never rejects for a lost tracker. */
  async catchUp(): Promise<void> {
    this.#look ??= this.#lookOnce().finally(() => (this.#look = undefined))
    return this.#look
  }

  close(): void {
    this.#isClosed = true
  }

  async #lookOnce(): Promise<void> {
    const { link, store, onEvent } = this.#parts
    const asked = store.requests().filter((group) => !this.#underWay.has(group))
    if (asked.length === 0) return
    const standings = await this.#standings(link)
    if (standings === undefined || this.#isClosed) return
    for (const group of asked) {
      // A group that is not listed is gone, or hidden from those whom it did not take.
      const standing = standings.get(group) ?? 'none'
      const isOpen = standing === 'requested' || this.#underWay.has(group)
      // Told live meanwhile.
      if (isOpen || !store.requests().includes(group)) continue
      void store.forgetRequest(group)
      this.#foundAtMs.set(group, performance.now())
      onEvent({ kind: 'request-decided', group, accepted: standing !== 'none' })
    }
  }

  /** Undefined when no tracker says; the next one that comes up is asked. */
  async #standings(link: Pick<TrackerLink, 'ask'>): Promise<Map<string, string> | undefined> {
    try {
      const groups = await allGroups(link)
      return groups.ok ? new Map(groups.value.map(({ group, standing }) => [group, standing])) : undefined
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return undefined
    }
  }
}
