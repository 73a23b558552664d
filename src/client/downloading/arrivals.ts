// Measures what arrives from the peers of a download: from all together, and from each. By the bytes that came, not by
// pieces: on a slow line one takes many seconds, and the rate would jump between nothing and too much.

import type { Way } from '../way.ts'
import { Pace } from '../transfer/pace.ts'
import type { Contact } from './contact.ts'
import type { Picker } from './picker.ts'

/** A connected peer. */
export interface SwarmPeer {
  readonly key: string
  readonly user: string
  /** `user@ip:port`. */
  readonly name: string
  /** How many pieces it has. */
  readonly pieces: number
  /** What it sends to this client. */
  readonly bytesPerSecond: number
  readonly way: Way
  /** Why not by a better one, where there is one. */
  readonly whyNot?: string | undefined
}

export class Arrivals {
  readonly #pace = new Pace()
  /** That came since they were last returned. */
  #newBytes = 0

  /** Call several times a second, with the contacts that are connected. Returns the bytes that came since the last time. */
  measure(linked: Iterable<Contact>, nowMs: number): number {
    this.#look(linked, nowMs)
    const newBytes = this.#newBytes
    this.#newBytes = 0
    return newBytes
  }

  /** The connection of the contact is about to be forgotten. */
  onUnlinked(contact: Contact, nowMs: number): void {
    this.#measure(contact, nowMs)
    contact.measuredBytes = 0
  }

  /** Bytes per second over the last few seconds; 0 when nobody is left to send. */
  bytesPerSecond(linked: ReadonlySet<Contact>, nowMs: number): number {
    if (linked.size === 0) return 0
    this.#look(linked, nowMs)
    return this.#pace.bytesPerSecond(nowMs)
  }

  peers(linked: ReadonlySet<Contact>, picker: Picker, nowMs: number): SwarmPeer[] {
    this.#look(linked, nowMs)
    return [...linked].map(({ key, user, link, pace }) => ({
      key,
      user,
      name: link?.name ?? user,
      pieces: picker.piecesOf(key),
      bytesPerSecond: pace.bytesPerSecond(nowMs),
      way: link?.route.way ?? 'direct',
      ...(link?.route.whyNot !== undefined && { whyNot: link.route.whyNot }),
    }))
  }

  #look(linked: Iterable<Contact>, nowMs: number): void {
    for (const contact of linked) this.#measure(contact, nowMs)
  }

  #measure(contact: Contact, nowMs: number): void {
    const receivedBytes = contact.link?.receivedBytes ?? contact.measuredBytes
    // What had arrived of a piece no longer counts when its connection has ended.
    const newBytes = Math.max(0, receivedBytes - contact.measuredBytes)
    contact.measuredBytes += newBytes
    contact.pace.onBytes(newBytes, nowMs)
    this.#pace.onBytes(newBytes, nowMs)
    this.#newBytes += newBytes
  }
}
