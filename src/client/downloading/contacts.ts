// The peers that a swarm knows of, and which of them to connect to next: fairly between users, so that one user's
// many peers do not keep another's from being tried; the least tried first; one that failed after a while.

import { Failure } from '../../common/failure.ts'
import { peersPerFileMax } from '../../common/limits.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import { connectsAtOnce, type ConnectTurns } from './connect-turns.ts'
import { learnAddress, newContact, retryAfterMs, tryNextAddress, type Contact } from './contact.ts'
import { nameOf } from './peer-greeting.ts'
import type { PeerLink } from './peer-link.ts'

export interface ContactsOptions {
  /** The key of this client, which is among the peers of what it shares. */
  readonly ownKey: string
  readonly turns: ConnectTurns
  /** Opens a connection and uses it. Rejects with a failure when there is none to be had. */
  readonly open: (contact: Contact) => Promise<void>
  /** Whether further peers are of use at present. */
  readonly wantsMore: () => boolean
  /** Whether other peers than this one give pieces at present. */
  readonly othersGive: (contact: Contact) => boolean
  /** Told once for each peer. */
  readonly onMisbehaved: (misdeed: Misdeed) => void
}

/** What a peer did, for the user. */
export interface Misdeed {
  /** `user@ip:port`. */
  readonly peer: string
  /** Comes before the name of the file: "sent a bad piece 3 of". */
  readonly did: string
  readonly why: string | undefined
  /** When it is asked again, in milliseconds from now; undefined: not for this file. */
  readonly againInMs: number | undefined
}

/** Peers to remember, more than can be connected at once. */
const contactsMax = 20 * peersPerFileMax
/** With all places taken and others waiting, the slowest peer makes room this often. */
const rotateMs = 5000

export class Contacts {
  readonly #options: ContactsOptions
  readonly #contacts = new Map<string, Contact>()
  readonly #linked = new Set<Contact>()
  /** Connections that are being opened and whose turn is not over. */
  #turnsTaken = 0
  #stopped = false
  #rotatedAtMs = performance.now()

  constructor(options: ContactsOptions) {
    this.#options = options
  }

  /** Peers that are connected and have admitted this client, in the order in which they did. */
  get linked(): ReadonlySet<Contact> {
    return this.#linked
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

  /** Peers that are said to have pieces. Of a known one this is taken as a reason to try again at once. */
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

  /** Peers that the tracker does not see any more. One that is still connected goes on: the tracker may be wrong. */
  onPeersLeft(keys: readonly string[]): void {
    for (const key of keys) {
      const contact = this.#contacts.get(key)
      // What is known of a banned peer, or one put aside, outlasts its leaving: it may come back.
      if (contact === undefined || contact.link !== undefined || contact.connecting) continue
      if (contact.banned || contact.isAside) continue
      clearTimeout(contact.retry)
      this.#contacts.delete(key)
    }
  }

  /** A connection that was made before there was a swarm. */
  adopt(peer: Peer, use: (contact: Contact) => Promise<void>): void {
    const contact = newContact(peer)
    this.#contacts.set(peer.key, contact)
    void this.#connecting(contact, () => use(contact))
  }

  retryLater(contact: Contact, waitMs = retryAfterMs(contact.failures++)): void {
    if (this.#stopped || contact.banned) return
    clearTimeout(contact.retry)
    contact.retry = setTimeout(() => {
      contact.retry = undefined
      contact.isAside = false
      this.connectWaiting()
    }, waitMs)
  }

  /** It lied, or does not speak as it should: nothing more is asked of it for this file. */
  ban(contact: Contact, did: string, why?: string): void {
    contact.banned = true
    clearTimeout(contact.retry)
    this.#name(contact, { did, why, againInMs: undefined })
    contact.link?.close(`it ${did} the file`)
  }

  /**
   * It does not give what it promises. While others give, it is tried again later, and not before, whoever speaks
   * of it: a peer that is overloaded looks the same. With nobody else to ask, every news of it is a hope.
   */
  putAside(contact: Contact, did: string, why?: string): void {
    const againInMs = contact.conduct.putAside()
    this.retryLater(contact, againInMs)
    contact.isAside = true
    this.#name(contact, { did, why, againInMs })
    contact.link?.close(`it ${did} the file`)
  }

  /** Begins to connect to as many as there is use for. */
  connectWaiting(): void {
    while (this.#turnsTaken < connectsAtOnce && !this.#stopped && this.#options.wantsMore()) {
      if (this.#linked.size + this.#turnsTaken >= peersPerFileMax) return
      const contact = this.#next()
      if (contact === undefined) return
      void this.#connecting(contact, () => this.#options.open(contact))
    }
  }

  /** Called every now and then: peers that trickle must not keep others from being tried at all. */
  rotate(nowMs: number): void {
    if (this.#linked.size < peersPerFileMax || nowMs - this.#rotatedAtMs < rotateMs) return
    this.#rotatedAtMs = nowMs
    if (this.#next() === undefined) return
    let slowest: PeerLink | undefined
    for (const { link } of this.#linked) {
      if (link !== undefined && (slowest === undefined || isSlower(link, slowest))) slowest = link
    }
    slowest?.close('others have not been tried yet')
  }

  stop(): void {
    this.#stopped = true
    for (const { retry } of this.#contacts.values()) clearTimeout(retry)
  }

  #name(contact: Contact, what: Omit<Misdeed, 'peer'>): void {
    const [peer] = contact.addresses
    if (contact.conduct.isNamed || peer === undefined || this.#stopped) return
    contact.conduct.isNamed = true
    const name = contact.link?.name ?? nameOf(peer)
    this.#options.onMisbehaved({ peer: name, ...what })
  }

  /** Undefined when there are too many: they are known by a tracker's word alone. */
  #add(peer: Peer): Contact | undefined {
    if (this.#contacts.size >= contactsMax && !this.#makeRoom(peer.user)) return undefined
    const contact = newContact(peer)
    this.#contacts.set(peer.key, contact)
    return contact
  }

  /** Forgets an unconnected peer of a user who has more of them than this one. */
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
    let hasTurn = true
    const onTurnOver = (): void => {
      if (hasTurn) this.#turnsTaken--
      hasTurn = false
      this.connectWaiting()
    }
    try {
      // Asked again: others may have connected, or the download have ended, while this one waited for its turn.
      await this.#options.turns.run(() => (this.#stopped ? Promise.resolve() : connect()), onTurnOver)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      if (error.code === 'protocol') this.ban(contact, 'broke the protocol for', error.message)
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

function isSlower(one: PeerLink, other: PeerLink): boolean {
  return (one.msPerPiece ?? Infinity) > (other.msPerPiece ?? Infinity)
}
