// Remembers of each peer of a download what explains why nothing comes from it: where it was tried, what it refused,
// when it left. Written at rare moments, never for a piece that arrives. Moments are milliseconds since 1970.

import { formatAddress } from '../../common/addresses.ts'
import { sentenceOf } from '../../common/failure.ts'
import type { Peer } from '../../common/protocol/tracker-protocol.ts'
import type { Refusal } from '../../common/refusal.ts'
import type { PeerNote, Try } from '../diagnosis/evidence.ts'

/** More than a tracker names at a time, with those that left. */
const notesMax = 300
const triesMax = 4
/** Of what a peer says, which may be a long line. */
const sentenceCharactersMax = 200

type Note = { -readonly [K in keyof PeerNote]: PeerNote[K] }

export class PeerNotes {
  readonly #ownKey: string
  /** By key, the one that was written to last at the end. */
  readonly #notes = new Map<string, Note>()

  /** `ownKey`: trackers list this client among the peers. */
  constructor(ownKey: string) {
    this.#ownKey = ownKey
  }

  get all(): PeerNote[] {
    return [...this.#notes.values()]
  }

  /** How many peers are online by what the trackers say. */
  get onlineCount(): number {
    let count = 0
    for (const { leftAtMs } of this.#notes.values()) if (leftAtMs === undefined) count++
    return count
  }

  hasChanged(key: string): boolean {
    return this.#notes.get(key)?.changedAtMs !== undefined
  }

  /** The trackers name them; `areAll`: and no others. */
  onListed(peers: readonly Peer[], areAll: boolean): void {
    for (const peer of peers) this.#of(peer, true)
    if (!areAll) return
    const keys = new Set(peers.map(({ key }) => key))
    this.onLeft([...this.#notes.keys()].filter((key) => !keys.has(key)))
  }

  onLeft(keys: readonly string[]): void {
    for (const key of keys) {
      const note = this.#notes.get(key)
      if (note !== undefined) note.leftAtMs ??= Date.now()
    }
  }

  onTrying(peer: Peer): void {
    this.#tried(peer, undefined)
  }

  /** There is no connection to it at this address. */
  onFailed(peer: Peer, error: unknown): void {
    this.#tried(peer, sentenceOf(error).slice(0, sentenceCharactersMax))
  }

  /** It has taken the ticket. */
  onAdmitted(peer: Peer): void {
    const note = this.#of(peer, true)
    if (note === undefined) return
    note.tries = []
    delete note.refusal
    note.admittedAtMs = Date.now()
  }

  onClosed(key: string): void {
    const note = this.#notes.get(key)
    if (note !== undefined) delete note.admittedAtMs
  }

  onRefused(peer: Peer, { code, sentence }: Refusal): void {
    const note = this.#of(peer)
    if (note === undefined) return
    const atMs = Date.now()
    note.refusal = { code, sentence: sentence.slice(0, sentenceCharactersMax), atMs }
    if (code === 'file-changed') note.changedAtMs = atMs
  }

  /** It lacks what it had announced. */
  onLacked(peer: Peer): void {
    const note = this.#of(peer)
    if (note !== undefined) note.changedAtMs = Date.now()
  }

  onBanned(key: string): void {
    const note = this.#notes.get(key)
    if (note !== undefined) note.isBanned = true
  }

  #tried(peer: Peer, sentence: string | undefined): void {
    const note = this.#of(peer)
    if (note === undefined) return
    delete note.admittedAtMs
    const address = formatAddress(peer)
    // A try that goes on does not hide how the last one failed.
    const last = note.tries.find((each) => each.address === address)
    const tried: Try = { address, atMs: Date.now(), sentence: sentence ?? last?.sentence }
    note.tries = [tried, ...note.tries.filter((each) => each !== last)].slice(0, triesMax)
  }

  /** The note of a peer; undefined for this client. `isOnline`: it is known to be so; one that is only tried may have left. */
  #of({ key, user, complete }: Peer, isOnline = false): Note | undefined {
    if (key === this.#ownKey) return undefined
    const note = this.#notes.get(key) ?? { key, user, complete, tries: [], isBanned: false }
    note.complete = complete
    if (isOnline) delete note.leftAtMs
    this.#notes.delete(key)
    if (this.#notes.size >= notesMax) this.#makeRoom()
    this.#notes.set(key, note)
    return note
  }

  #makeRoom(): void {
    let first: string | undefined
    for (const [key, { leftAtMs }] of this.#notes) {
      first ??= key
      if (leftAtMs === undefined) continue
      first = key
      break
    }
    if (first !== undefined) this.#notes.delete(first)
  }
}
