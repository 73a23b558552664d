// Dispatches notifications of the trackers to the tickets, the shares, the downloads and the person.

import { formatAddress, type Address } from '../common/addresses.ts'
import { counted } from '../common/counted.ts'
import type { RelayTokens, RelayUsers } from '../common/wire/relay.ts'
import { JoinRequests } from './join-requests.ts'
import type { ClientEvent } from './operations.ts'
import type { Call } from './reach/called.ts'
import type { Session } from './session.ts'
import type { PeerServer } from './sharing/peer-server.ts'
import type { TicketOffice } from './sharing/ticket-office.ts'
import type { Told } from './tracker-link/tracker-connection.ts'
import type { Teller, TrackerLinkEvents } from './tracker-link/tracker-link.ts'

/** How long a tracker may take at the start before it is said that none answers. */
const silenceMs = 2000

export interface TrackerNewsParts {
  readonly tickets: TicketOffice
  readonly server: PeerServer
  readonly session: () => Session | undefined
  /** All of the list. */
  readonly trackers: readonly Address[]
  /** Whether a command of this client is leaving the group at the moment. */
  readonly isLeaving: (group: string) => boolean
  /** A tracker says that the login has ended, and why. */
  readonly onLoginEnded: (user: string, why: string) => void
  readonly onEvent: (event: ClientEvent) => void
  /** Another client cannot come here and asks this one to come; `from`: this end of the connection to the tracker. */
  readonly onCall: (call: Call, from: Address | undefined) => void
  /** Two members will come, each with one of the tokens, to be forwarded to each other. */
  readonly onRelay: (users: RelayUsers, tokens: RelayTokens) => void
  readonly onFailure: (error: unknown) => void
}

interface Resumed {
  readonly user: string
  readonly silence: NodeJS.Timeout
}

export class TrackerNews implements TrackerLinkEvents {
  readonly #parts: TrackerNewsParts
  readonly #joinRequests: JoinRequests
  #saidLost = false
  #saidOther = false
  /** Whoever is logged in since the start, before any tracker has taken the login. */
  #resumed: Resumed | undefined
  /** A tracker has ended the login, and closes the connection next: that is said once, and is no loss. */
  #isEnding = false

  constructor(parts: TrackerNewsParts) {
    this.#parts = parts
    const { onEvent } = parts
    this.#joinRequests = new JoinRequests({
      onOne: (group, user) => onEvent({ kind: 'join-requested', group, user }),
      onAgain: (group, user, times, sinceMs) =>
        onEvent({ kind: 'join-requested', group, user, times, sinceMs }),
      onMore: (count) =>
        onEvent({
          kind: 'notice',
          sentence: `${counted(count, 'more request')} to join your groups; list_requests <group> shows them`,
        }),
    })
  }

  told({ isNews, localEnd }: Teller): Omit<Told, 'reachability'> {
    const { tickets, session, isLeaving, onEvent } = this.#parts
    const tellOnce = (event: ClientEvent): void => {
      if (isNews(event)) onEvent(event)
    }
    return {
      join_requested: ({ group, user }) => {
        if (isNews({ kind: 'join-requested', group, user })) this.#joinRequests.onRequested(group, user)
      },
      request_decided: ({ group, accepted }) => {
        const event = { kind: 'request-decided', group, accepted } as const
        if (isNews(event) && session()?.requests.onDecided(group) !== false) onEvent(event)
      },
      member_left: ({ group, user, position }) => {
        tickets.onRemoved(group, user, position)
        this.#parts.server.expel(group, user)
        if (isNews({ kind: 'member-left', group, user })) this.#onMemberLeft(group, user)
      },
      peer_calls: (call) => this.#parts.onCall(call, localEnd()),
      relay_for: ({ users, tokens }) => this.#parts.onRelay(users, tokens),
      owner_changed: ({ group, owner }) => {
        if (owner === session()?.user) tellOnce({ kind: 'became-owner', group })
      },
      swarm_changed: ({ joined, left, ...file }) => session()?.downloads.onSwarmChanged(file, joined, left),
      file_gone: (file) => {
        // A user who leaves the group needs no notice.
        if (!isLeaving(file.group)) session()?.shares.onFileGone(file)
        session()?.downloads.onFileGone(file)
      },
      entry_changed: (entry) => session()?.subscriptions.onEntryChanged(entry),
      login_ended: ({ user, why }) => this.onLoginEnded(user, why),
      trackers_changed: ({ trackers }) => tickets.onTrackers(trackers),
    }
  }

  onTrackers(keys: readonly string[]): void {
    this.#parts.tickets.onTrackers(keys)
  }

  onLoginEnded(user: string, why: string): void {
    this.#isEnding = true
    this.#parts.onLoginEnded(user, why)
  }

  onTime(key: string, timeMs: number): void {
    this.#parts.tickets.onTrackerTime(key, timeMs)
  }

  /** A login of an earlier run goes on. Says so when a tracker takes it, and when none is there at first. */
  onResumed(user: string): void {
    const silence = setTimeout(() => {
      const { trackers } = this.#parts
      const which = trackers.map(formatAddress).join(', ')
      const sentence = `no tracker answers; the login of ${user} goes on as soon as ${trackers.length > 1 ? 'one of ' : ''}${which} does`
      this.#parts.onEvent({ kind: 'notice', sentence })
    }, silenceMs)
    this.#resumed = { user, silence: silence.unref() }
  }

  onUp(): void {
    const { tickets, session, onEvent } = this.#parts
    tickets.onConnected(true)
    const resumed = this.#stopWaiting()
    if (resumed !== undefined)
      onEvent({ kind: 'notice', sentence: `logged in as ${resumed.user}, as remembered` })
    if (this.#saidLost) onEvent({ kind: 'tracker-back' })
    this.#saidLost = false
    this.#saidOther = false
    this.#isEnding = false
    session()?.shares.onTrackerUp()
    session()?.downloads.findAgain()
    session()?.subscriptions.lookAgain()
    session()?.requests.catchUp().catch(this.#parts.onFailure)
  }

  onOneDown(): void {
    this.#parts.session()?.downloads.findAgain()
    this.#parts.session()?.subscriptions.lookAgain()
  }

  onAllDown(): void {
    this.#parts.tickets.onConnected(false)
    if (this.#isEnding) return
    this.#saidLost = true
    const { trackers, onEvent } = this.#parts
    onEvent({ kind: 'trackers-lost', trackers: trackers.map(formatAddress) })
  }

  onOtherCommunity(address: Address): void {
    if (this.#saidOther) return
    this.#saidOther = true
    const user = this.#parts.session()?.user
    this.#parts.onEvent({
      kind: 'notice',
      sentence:
        `the tracker at ${formatAddress(address)} belongs to another community, or has begun anew without its ` +
        `data; nothing is forgotten here, and ${user} can log out to use it`,
    })
  }

  /** The next user may be warned of another community again. */
  onLogout(): void {
    this.#saidOther = false
    this.#stopWaiting()
  }

  #stopWaiting(): Resumed | undefined {
    const resumed = this.#resumed
    clearTimeout(resumed?.silence)
    this.#resumed = undefined
    return resumed
  }

  #onMemberLeft(group: string, user: string): void {
    const { session, isLeaving, onEvent, onFailure } = this.#parts
    const here = session()
    // The reply to the command already tells a user who leaves through this client.
    if (here === undefined || user !== here.user || isLeaving(group)) return
    onEvent({ kind: 'removed-from-group', group })
    here.forgetGroup(group).catch(onFailure)
  }
}
