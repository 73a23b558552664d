// Has a better way tried while a peer is reached by a relay, and goes on there when one opens: somebody forwards for two
// who need it, and for no longer.

import { Failure } from '../../common/failure.ts'
import { tryNextAddress, type Contact } from './contact.ts'
import { openLane } from './lanes-ahead.ts'
import type { PeerLanes } from './peer-lanes.ts'
import type { PeerLink } from './peer-link.ts'
import type { SwarmNetwork } from './swarm-parts.ts'

export interface BetterWaysOptions {
  readonly network: SwarmNetwork
  readonly fileId: string
  readonly ticket: () => string
  /** The peers that are connected at each time. */
  readonly linked: ReadonlySet<Contact>
  /** The peer can be asked on another connection. */
  readonly onMoved: (contact: Contact) => void
}

export class BetterWays {
  readonly #options: BetterWaysOptions
  readonly #open: typeof openLane
  #stopped = false

  /** `open`: how to open a connection that is not relayed. */
  constructor(options: BetterWaysOptions, open = openLane) {
    this.#options = options
    this.#open = open
  }

  /** Called several times a second. */
  look(nowMs: number): void {
    for (const contact of [...this.#options.linked]) {
      const { key, link, addresses } = contact
      link?.closeLeft(nowMs)
      if (link?.route.way !== 'relayed') continue
      const retry = this.#options.network.retries?.take(key, addresses)
      if (retry !== undefined)
        void this.#try(contact, link).then((hasOpened) => (hasOpened ? retry.onOpened() : retry.onFailed()))
    }
  }

  /** Call it while the connections are still there. */
  stop(): void {
    this.#stopped = true
    const { network, linked } = this.#options
    for (const { key, link } of linked) if (link?.route.way === 'punched') network.retries?.onFree(key)
  }

  /** Whether what the peer is asked for comes by a better way from now on. */
  async #try(contact: Contact, link: PeerLanes): Promise<boolean> {
    const { network, onMoved } = this.#options
    try {
      const better = await network.turns.run(async () => this.#openTo(contact, link))
      if (better !== undefined) {
        if (this.#isWanted(contact, link)) {
          link.moveTo(better)
          onMoved(contact)
          return true
        }
        better.close('not needed')
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
    // It keeps the relay; the next attempt is at the next of its addresses.
    tryNextAddress(contact)
    return false
  }

  /** A connection on which the file is open; undefined when the peer refuses, or it is not wanted any more. */
  async #openTo(contact: Contact, link: PeerLanes): Promise<PeerLink | undefined> {
    const { network, fileId, ticket } = this.#options
    const [peer] = contact.addresses
    if (peer === undefined || !this.#isWanted(contact, link)) return undefined
    const opened = await this.#open(network, { peer, fileId, ticket: ticket(), dialsOnly: false })
    // When it is refused, `openLane` closes it.
    return (await opened?.whenOpen())?.ok === true ? opened : undefined
  }

  #isWanted(contact: Contact, link: PeerLanes): boolean {
    return !this.#stopped && contact.link === link && link.route.way === 'relayed'
  }
}
