// A connection to a peer, for what manages several of them.

import { LinkPace } from '../../../src/client/downloading/link-pace.ts'
import type { PeerLink } from '../../../src/client/downloading/peer-link.ts'
import type { PeerLinkEvents } from '../../../src/client/downloading/peer-link-events.ts'
import type { Way } from '../../../src/client/way.ts'
import { Failure } from '../../../src/common/failure.ts'
import { accept, type Answer } from '../../../src/common/refusal.ts'

/** A connection of which the test says what it owes and how fast it is. */
export class FakeLink {
  readonly peer = { user: 'ann', key: 'k', host: '192.0.2.1', port: 1, complete: true }
  readonly route: { readonly way: Way }
  readonly pace = new LinkPace()
  readonly pieces: number[] = []
  askedCount = 0
  openCount = 0
  receivedBytes = 0
  choosesItself = false
  late = false
  shownAlive = 0
  takenBack = 0
  /** Also what it would choose. */
  allTakenBack = 0
  /** What it says when it is asked whether the file is open. */
  opened: Answer<{ readonly bitfield: string }> = accept({ bitfield: '' })
  closedBecause: string | undefined
  #events: PeerLinkEvents | undefined

  constructor(msPerPiece?: number, way: Way = 'direct') {
    this.route = { way }
    this.pace.msPerPiece = this.pace.msPerTransfer = this.pace.msPerAnswer = msPerPiece
    this.pace.lastTransferMs = msPerPiece
  }

  get asLink(): PeerLink {
    return this as unknown as PeerLink
  }

  get isIdle(): boolean {
    return this.askedCount + this.openCount === 0
  }

  isLate(): boolean {
    return this.late
  }

  use(events: PeerLinkEvents): void {
    this.#events = events
  }

  piece({ index }: { index: number }): Promise<never> {
    this.pieces.push(index)
    this.askedCount++
    return new Promise(() => undefined)
  }

  whenOpen(): Promise<Answer<{ readonly bitfield: string }>> {
    return Promise.resolve(this.opened)
  }

  showLife(): void {
    this.shownAlive++
  }

  get queuedCount(): number {
    return Math.max(0, this.askedCount - 1)
  }

  takeBack(count: number): [] {
    this.takenBack += count
    return []
  }

  takeAllBack(): void {
    this.allTakenBack++
  }

  close(why: string): void {
    this.end(new Failure('connection-lost', why))
  }

  end(reason: Failure): void {
    if (this.closedBecause !== undefined) return
    this.closedBecause = reason.message
    this.#events?.onClosed(reason)
  }
}
