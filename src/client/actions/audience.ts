// Who of a group has a file: asks the trackers now and then while somebody looks, and joins that with what the connected
// peers say. The cost is bounded: few files are remembered, and members are asked for once a minute.

import { Failure } from '../../common/failure.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { pieceBytes } from '../../common/limits.ts'
import { keyOf } from '../file-key.ts'
import type { AudienceView, EntryView, LackingMember } from '../operations.ts'
import type { Session } from '../session.ts'
import type { Core } from './core.ts'
import { findOnce } from './find-once.ts'
import { allUsers } from '../tracker-link/listing.ts'
import { Progress } from './progress.ts'

/** How often the trackers are asked for the peers of the file. */
const peersEveryMs = 5000
/** A group may have 10,000 members, in twenty pages. */
const membersEveryMs = 60_000
/** Terminals may look at several files at once. */
const filesMax = 8
/** How many absent members are named. */
const absentNamedMax = 20

interface Seen {
  readonly session: Session
  readonly group: string
  readonly name: string
  peers: readonly Peer[] | undefined
  peersAtMs: number
  members: readonly string[] | undefined
  membersAtMs: number
  readonly progress: Progress
}

export class Audience {
  readonly #core: Core
  readonly #seen = new Map<string, Seen>()

  constructor(core: Core) {
    this.#core = core
  }

  /** Asks the trackers, where it is time to. Without a tracker what was known before stays. */
  async refresh(session: Session, group: string, name: string): Promise<void> {
    const seen = this.#seenOf(session, group, name)
    try {
      await Promise.all([this.#askPeers(seen), this.#askMembers(seen)])
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
  }

  /** Undefined while nothing is known. */
  of(session: Session, entry: EntryView): AudienceView | undefined {
    const { peers, members, progress } = this.#seenOf(session, entry.group, entry.name)
    if (peers === undefined || members === undefined) return undefined
    const whole = new Set(peers.filter(({ complete }) => complete).map(({ user }) => user))
    if (entry.state === 'shared' && entry.why === undefined) whole.add(session.user)
    const pieces = new Map<string, number | undefined>()
    for (const { user } of peers) pieces.set(user, undefined)
    for (const peer of entry.peers) {
      const most = Math.max(pieces.get(peer.user) ?? 0, peer.pieces ?? 0)
      pieces.set(peer.user, most)
      if (most >= entry.pieceCount) whole.add(peer.user)
    }
    if (entry.state !== 'shared') pieces.set(session.user, entry.piecesDone)
    const nowMs = performance.now()
    const lacking = [...pieces]
      .filter(([user]) => !whole.has(user))
      .map(([user, has]): LackingMember => {
        const secondsLeft =
          user === session.user
            ? secondsAt(entry.bytesInPerSecond, entry, has)
            : progress.secondsLeft(user, has, entry.pieceCount, nowMs)
        return { user, pieces: has, secondsLeft }
      })
    const absent = members.filter((user) => !whole.has(user) && !pieces.has(user))
    return {
      whole: [...whole],
      lacking,
      absent: absent.slice(0, absentNamedMax),
      absentCount: absent.length,
    }
  }

  #seenOf(session: Session, group: string, name: string): Seen {
    const key = keyOf({ group, name })
    let seen = this.#seen.get(key)
    if (seen?.session !== session) {
      const times = { peersAtMs: Number.NEGATIVE_INFINITY, membersAtMs: Number.NEGATIVE_INFINITY }
      seen = {
        session,
        group,
        name,
        peers: undefined,
        members: undefined,
        ...times,
        progress: new Progress(),
      }
    }
    // The one looked at longest ago is first.
    this.#seen.delete(key)
    this.#seen.set(key, seen)
    const [oldest] = this.#seen.keys()
    if (this.#seen.size > filesMax && oldest !== undefined) this.#seen.delete(oldest)
    return seen
  }

  async #askPeers(seen: Seen): Promise<void> {
    const nowMs = performance.now()
    if (nowMs - seen.peersAtMs < peersEveryMs) return
    seen.peersAtMs = nowMs
    const found = await findOnce(this.#core, seen.session, seen)
    if (found.ok) seen.peers = found.value.peers
  }

  async #askMembers(seen: Seen): Promise<void> {
    const nowMs = performance.now()
    if (nowMs - seen.membersAtMs < membersEveryMs) return
    seen.membersAtMs = nowMs
    const users = await allUsers(this.#core.link, 'list_members', seen.group)
    if (users.ok) seen.members = users.value
  }
}

function secondsAt(bytesPerSecond: number, entry: EntryView, pieces = 0): number | undefined {
  if (bytesPerSecond <= 0) return undefined
  return ((entry.pieceCount - pieces) * pieceBytes) / bytesPerSecond
}
