// Keeps the peers that a swarm knows and picks which to connect to next: fair between users, so that one
// user's many peers do not crowd out another's; least recently tried first; failed peers after a delay.

import type { Bitfield } from '../../common/bitfield.ts'
import { Failure } from '../../common/failure.ts'
import { peersPerFileMax } from '../../common/limits.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { NetworkChanges } from '../network/network-changes.ts'
import { connectsAtOnce, type ConnectTurns } from './connect-turns.ts'
import { learnAddress, newContact, retryAfterMs, tryNextAddress, type Contact } from './contact.ts'
import { nameOf } from './peer-greeting.ts'
import type { PeerLanes } from './peer-lanes.ts'
import type { PeerNotes } from './peer-notes.ts'

export interface ContactsOptions {
  /** This client's key; trackers list it among the peers of the files it shares. */
  readonly ownKey: string
  readonly turns: Pick<ConnectTurns, 'run'>
  readonly changes: Pick<NetworkChanges, 'subscribe'>
  readonly notes: PeerNotes
  /** Opens a connection and uses it. Rejects with a failure when connecting fails. */
  readonly open: (contact: Contact) => Promise<void>
  /** Whether more peers are useful at present. */
  readonly wantsMore: () => boolean
  /** Whether peers other than this one currently deliver pieces. */
  readonly othersGive: (contact: Contact) => boolean
  /** Called at most once per peer. */
  readonly onMisbehaved: (misdeed: Misdeed) => void
}

/** What a peer did wrong, as reported to the user. */
export interface Misdeed {
  /** `user@ip:port`. */
  readonly peer: string
  /** Precedes the name of the file: "sent a bad piece 3 of". */
  readonly did: string
  readonly why: string | undefined
  /** When it is asked again, in milliseconds from now; undefined: never for this file. */
  readonly againInMs: number | undefined
}

/** How many peers to remember: more than can be connected at once. */
const contactsMax = 20 * peersPerFileMax
/** While all slots are taken and other peers wait, the slowest peer is dropped this often. */
const rotateMs = 5000
/** See `#retryAfterMs`. */
const loneRetryMs = 1500
/** About this, so that those behind one router do not all come at once. */
const firstLoneRetryMs = 100
/** A peer that is sending its first piece may keep its slot for this long. */
const trialMs = 20_000

export class Contacts {
  readonly #options: ContactsOptions
  readonly #contacts = new Map<string, Contact>()
  readonly #linked = new Set<Contact>()
  /** Connection attempts whose turn is not over, including those waiting for one. */
  #turnsTaken = 0
  #stopped = false
  #rotatedAtMs = performance.now()
  readonly #unsubscribe: () => void

  constructor(options: ContactsOptions) {
    this.#options = options
    this.#unsubscribe = options.changes.subscribe(() => this.#tryAllAgain())
  }

  /** Peers that are connected and have admitted this client, in the order of admission. */
  get linked(): ReadonlySet<Contact> {
    return this.#linked
  }

  /** How many are known, connected or not. */
  get count(): number {
    return this.#contacts.size
  }

  onLinked(contact: Contact): void {
    this.#linked.add(contact)
  }

  onUnlinked(contact: Contact): void {
    this.#linked.delete(contact)
  }

  find(key: string): Contact | undefined {
    return this.#contacts.get(key)
  }

  /** Shows all that are connected a newer ticket. */
  renew(ticket: string): void {
    for (const { link } of this.#linked) link?.renew(ticket)
  }

  /** The piece comes from this peer: those that choose what they send need not. */
  tellTaken(from: PeerLanes | undefined, index: number): void {
    for (const { link } of this.#linked) {
      if (link !== undefined && link !== from && link.choosesItself) link.taken(index)
    }
  }

  /** Peers that choose what they send are told anew what is wanted. */
  tellWanted(wanted: () => Bitfield): void {
    for (const { link } of this.#linked) if (link?.choosesItself === true) link.letChoose(wanted())
  }

  /**
   * Adds peers reported to have pieces. Retries a known one at once, unless it is put aside and others
   * deliver.
   */
  onPeers(peers: readonly Peer[]): void {
    for (const peer of peers) {
      if (peer.key === this.#options.ownKey) continue
      const contact = this.#contacts.get(peer.key) ?? this.#add(peer)
      if (contact === undefined || (contact.isAside && this.#options.othersGive(contact))) continue
      contact.isAside = false
      learnAddress(contact, peer)
      clearTimeout(contact.retry)
      contact.retry = undefined
    }
    this.connectWaiting()
  }

  /**
   * Forgets peers that the tracker no longer sees. Keeps connected ones, because the tracker may be wrong.
   */
  onPeersLeft(keys: readonly string[]): void {
    for (const key of keys) {
      const contact = this.#contacts.get(key)
      // Remember banned peers and those put aside: they may come back.
      if (contact === undefined || contact.link !== undefined || contact.connecting) continue
      if (contact.banned || contact.isAside) continue
      clearTimeout(contact.retry)
      this.#contacts.delete(key)
    }
  }

  /** Takes over a connection that was opened before the swarm existed. */
  adopt(peer: Peer, use: (contact: Contact) => Promise<void>): void {
    const contact = newContact(peer)
    this.#contacts.set(peer.key, contact)
    void this.#connecting(contact, () => use(contact))
  }

  retryLater(contact: Contact, waitMs = this.#retryAfterMs(contact)): void {
    if (this.#stopped || contact.banned) return
    clearTimeout(contact.retry)
    contact.retry = setTimeout(() => {
      contact.retry = undefined
      contact.isAside = false
      this.connectWaiting()
    }, waitMs)
  }

  /**
   * Without any connection, one that has given pieces is tried at once and then more often: most likely the network was
   * what is away.
   */
  #retryAfterMs(contact: Contact): number {
    const failures = contact.failures++
    const waitMs = retryAfterMs(failures)
    if (this.#linked.size > 0 || !contact.conduct.hasGiven) return waitMs
    return failures === 0 ? firstLoneRetryMs * (0.5 + Math.random()) : Math.min(waitMs, loneRetryMs)
  }

  /** Bans a peer that sent bad data or broke the protocol: it is not used for this file again. */
  ban(contact: Contact, did: string, why?: string): void {
    contact.banned = true
    this.#options.notes.onBanned(contact.key)
    clearTimeout(contact.retry)
    this.#name(contact, { did, why, againInMs: undefined })
    contact.link?.close(`it ${did} the file`)
  }

  /**
   * Drops a peer that does not deliver what it promises, and retries it later, because an overloaded peer
   * looks the same. While others deliver, news of this peer does not shorten the wait; otherwise any news
   * does.
   */
  putAside(contact: Contact, did: string, why?: string): void {
    const againInMs = contact.conduct.putAside()
    this.retryLater(contact, againInMs)
    contact.isAside = true
    this.#name(contact, { did, why, againInMs })
    contact.link?.close(`it ${did} the file`)
  }

  /** Starts as many connection attempts as are useful and allowed. */
  connectWaiting(): void {
    while (this.#turnsTaken < connectsAtOnce && !this.#stopped && this.#options.wantsMore()) {
      if (this.#linked.size + this.#turnsTaken >= peersPerFileMax) return
      const contact = this.#next()
      if (contact === undefined) return
      void this.#connecting(contact, () => this.#options.open(contact))
    }
  }

  /** Called periodically: keeps slow peers from occupying every slot while others wait. */
  rotate(nowMs: number): void {
    if (this.#linked.size < peersPerFileMax || nowMs - this.#rotatedAtMs < rotateMs) return
    this.#rotatedAtMs = nowMs
    if (this.#next() === undefined) return
    let slowest: Contact | undefined
    for (const contact of this.#linked) {
      if (isOnTrial(contact, nowMs)) continue
      if (slowest === undefined || isSlower(contact, slowest)) slowest = contact
    }
    slowest?.link?.close('others have not been tried yet')
  }

  stop(): void {
    this.#stopped = true
    this.#unsubscribe()
    for (const { retry } of this.#contacts.values()) clearTimeout(retry)
  }

  /** The network has changed: what kept peers from being reached may be over. Those put aside wait on. */
  #tryAllAgain(): void {
    for (const contact of this.#contacts.values()) {
      if (contact.isAside) continue
      contact.failures = 0
      clearTimeout(contact.retry)
      contact.retry = undefined
    }
    this.connectWaiting()
  }

  #name(contact: Contact, what: Omit<Misdeed, 'peer'>): void {
    const [peer] = contact.addresses
    if (contact.conduct.isNamed || peer === undefined || this.#stopped) return
    contact.conduct.isNamed = true
    const name = contact.link?.name ?? nameOf(peer)
    this.#options.onMisbehaved({ peer: name, ...what })
  }

  /** Returns undefined when there is no room: trackers can report any number of peers. */
  #add(peer: Peer): Contact | undefined {
    if (this.#contacts.size >= contactsMax && !this.#makeRoom(peer.user)) return undefined
    const contact = newContact(peer)
    this.#contacts.set(peer.key, contact)
    return contact
  }

  /** Forgets an unconnected peer of a user who has more peers here than this user would have. */
  #makeRoom(user: string): boolean {
    const counts = this.#byUser(() => true)
    let most: Contact | undefined
    for (const contact of this.#contacts.values()) {
      if (contact.link !== undefined || contact.connecting) continue
      if (most === undefined || (counts.get(contact.user) ?? 0) > (counts.get(most.user) ?? 0)) most = contact
    }
    if (most === undefined || (counts.get(most.user) ?? 0) <= (counts.get(user) ?? 0) + 1) return false
    clearTimeout(most.retry)
    return this.#contacts.delete(most.key)
  }

  #next(): Contact | undefined {
    const links = this.#byUser(({ link, connecting }) => link !== undefined || connecting)
    let best: Contact | undefined
    for (const contact of this.#contacts.values()) {
      if (!isWaiting(contact)) continue
      const order =
        best === undefined
          ? -1
          : (links.get(contact.user) ?? 0) - (links.get(best.user) ?? 0) || contact.triedAtMs - best.triedAtMs
      if (order < 0) best = contact
    }
    return best
  }

  #byUser(counts: (contact: Contact) => boolean): Map<string, number> {
    const byUser = new Map<string, number>()
    for (const contact of this.#contacts.values()) {
      if (counts(contact)) byUser.set(contact.user, (byUser.get(contact.user) ?? 0) + 1)
    }
    return byUser
  }

  async #connecting(contact: Contact, connect: () => Promise<void>): Promise<void> {
    contact.connecting = true
    contact.triedAtMs = performance.now()
    this.#turnsTaken++
    const [tried] = contact.addresses
    let hasTurn = true
    const onTurnOver = (): void => {
      if (hasTurn) this.#turnsTaken--
      hasTurn = false
      this.connectWaiting()
    }
    try {
      // Check again: the download may have ended while this attempt waited for its turn.
      await this.#options.turns.run(async () => {
        if (this.#stopped) return
        if (tried !== undefined) this.#options.notes.onTrying(tried)
        await connect()
      }, onTurnOver)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error.code === 'protocol') this.ban(contact, 'broke the protocol for', error.message)
      if (tried !== undefined) this.#options.notes.onFailed(tried, error)
      tryNextAddress(contact)
      this.retryLater(contact)
    } finally {
      contact.connecting = false
      if (hasTurn) onTurnOver()
    }
  }
}

function isWaiting({ link, connecting, banned, retry }: Contact): boolean {
  return link === undefined && !connecting && !banned && retry === undefined
}

/** Whether its first piece is still arriving, and it has not had much time for it. */
function isOnTrial({ link, triedAtMs }: Contact, nowMs: number): boolean {
  return link?.msPerPiece === undefined && (link?.receivedBytes ?? 0) > 0 && nowMs - triedAtMs < trialMs
}

/** The pace of a late peer is that of better times. */
function isSlower(one: Contact, other: Contact): boolean {
  const [isLate, isOtherLate] = [one.share?.isLate === true, other.share?.isLate === true]
  if (isLate !== isOtherLate) return isLate
  return (one.link?.msPerPiece ?? Infinity) > (other.link?.msPerPiece ?? Infinity)
}

/** For the person. `name`: of the file. */
export function sentenceAbout({ peer, did, why, againInMs }: Misdeed, name: string): string {
  const reason = why === undefined ? '' : ` (${why})`
  const next =
    againInMs === undefined
      ? 'it is not asked again'
      : `it is asked again in ${Math.round(againInMs / 1000)} s`
  return `${peer} ${did} ${name}${reason}; ${next}`
}
