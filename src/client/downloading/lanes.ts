// Opens further connections to a peer that is far away, and closes them again, as its plan says.

import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import type { Manifest } from '../../common/manifest.ts'
import { isRoundabout } from '../way.ts'
import type { Contact } from './contact.ts'
import { farMs, LanePlan } from './lane-plan.ts'
import type { PeerLanes } from './peer-lanes.ts'
import { PeerLink } from './peer-link.ts'
import type { Picker } from './picker.ts'
import type { Rank } from './precedence.ts'
import type { SwarmNetwork } from './swarm-parts.ts'
import type { UnderWay } from './under-way.ts'

export interface LanesOptions {
  readonly network: SwarmNetwork
  readonly manifest: Manifest
  readonly ticket: () => string
  /** How many peers are known. */
  readonly knownCount: () => number
  /** The peers that are connected at each time. */
  readonly linked: ReadonlySet<Contact>
  readonly picker: Pick<Picker, 'missingCount' | 'hasOnOffer'>
  readonly underWay: Pick<UnderWay, 'isBehind' | 'onFar'>
  readonly rank: Pick<Rank, 'goesFirst'>
  /** There is one more. */
  readonly onOpened: (contact: Contact) => void
}

/** Where more give, the connections to them are many already. */
const giversMax = 3
/** Most comes from a peer that gives this part of all: of two that are equally far, each does. */
const mostShare = 0.4
/** Trials are worth it while so much is missing: pieces, and what comes in this time. */
const missingMin = 16
const restSeconds = 2

interface Planned {
  readonly plan: LanePlan
  /** Being opened. */
  opening: number
  /** Not opened. */
  failed: number
}

export class Lanes {
  readonly #options: LanesOptions
  readonly #planned = new WeakMap<PeerLanes, Planned>()
  #stopped = false

  constructor(options: LanesOptions) {
    this.#options = options
  }

  /** Called several times a second. `bytesPerSecond`: of all peers. */
  look(nowMs: number, bytesPerSecond: number): void {
    const { network, linked, underWay } = this.#options
    if (network.lanes === undefined) return
    for (const contact of [...linked]) this.#look(contact, nowMs, bytesPerSecond)
    underWay.onFar(piecesOnTheWay(linked, nowMs))
  }

  stop(): void {
    this.#stopped = true
  }

  #look(contact: Contact, nowMs: number, bytesPerSecond: number): void {
    const { link, pace, share } = contact
    const { network, knownCount, linked, picker, underWay, rank } = this.#options
    const places = network.lanes
    if (link === undefined || link.route.way === 'relayed' || places?.mayBeFar(link.peer) !== true) return
    const { missingCount } = picker
    const rate = pace.bytesPerSecond(nowMs)
    const planned = this.#of(link)
    const hasWork = missingCount >= missingMin && missingCount * pieceBytes >= restSeconds * rate
    const { open, asked } = planned.plan.look({
      nowMs,
      receivedBytes: link.receivedBytes,
      roundTripMs: link.roundTripMs,
      openCount: link.count,
      lostCount: link.lostCount + planned.failed,
      awaitsUnasked: link.awaitsUnasked,
      isUseful:
        linked.size <= giversMax &&
        !link.isPaused &&
        !link.isLimited &&
        share?.isLate !== true &&
        rate >= mostShare * bytesPerSecond,
      isLikely: knownCount() <= giversMax,
      // What comes says nothing about the line while this client is the bottleneck, or another download goes first.
      hasWork: hasWork && !underWay.isBehind && rank.goesFirst() === undefined,
    })
    link.askOn(asked)
    link.keep(open)
    if (!picker.hasOnOffer(contact.key)) link.dropLate(nowMs)
    if (hasWork) this.#openUpTo(open, contact, link)
  }

  #openUpTo(count: number, contact: Contact, link: PeerLanes): void {
    const planned = this.#of(link)
    while (link.count + planned.opening < count && !this.#stopped) {
      const giveBack = this.#options.network.lanes?.take()
      if (giveBack === undefined) return
      void this.#open(contact, link, giveBack)
    }
  }

  #of(link: PeerLanes): Planned {
    const known = this.#planned.get(link)
    if (known !== undefined) return known
    const planned = { plan: new LanePlan(), opening: 0, failed: 0 }
    this.#planned.set(link, planned)
    return planned
  }

  async #open(contact: Contact, link: PeerLanes, giveBack: () => void): Promise<void> {
    const planned = this.#of(link)
    planned.opening++
    try {
      const { network, onOpened } = this.#options
      const isWanted = (): boolean => !this.#stopped && contact.link === link
      const further = await network.turns.run(async () => (isWanted() ? this.#connect(link) : undefined))
      if (further === undefined) planned.failed++
      else if (isWanted()) {
        link.add(further, giveBack)
        onOpened(contact)
        return
      } else further.close('not needed')
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      planned.failed++
    } finally {
      planned.opening--
    }
    giveBack()
  }

  /** A connection on which the file is open; undefined when the peer refuses. Rejects with a failure. */
  async #connect({ peer, route }: PeerLanes): Promise<PeerLink | undefined> {
    const { network, manifest, ticket } = this.#options
    const { fileId, pieceCount } = manifest
    const opened = await PeerLink.open({
      ...network,
      peer,
      fileId,
      ticket: ticket(),
      mayRelay: () => false,
      dialsOnly: !isRoundabout(route.way),
    })
    if (!opened.ok) return undefined
    const link = opened.value
    try {
      // Which pieces it has is known from the first connection.
      if ((await link.openFile(pieceCount)).ok) return link
    } catch (error) {
      link.close('it does not open the file')
      throw error
    }
    link.close('it does not open the file')
    return undefined
  }
}

function isFar({ roundTripMs }: PeerLanes): boolean {
  return roundTripMs >= farMs && Number.isFinite(roundTripMs)
}

/** About how many pieces are on their way from far peers at each moment, with those that wait in front of the line. */
function piecesOnTheWay(linked: Iterable<Contact>, nowMs: number): number {
  let bytes = 0
  for (const { link, pace } of linked)
    if (link !== undefined && isFar(link)) bytes += (pace.bytesPerSecond(nowMs) * link.roundTripMs) / 1000
  return Math.ceil((2 * bytes) / pieceBytes)
}
