// Opens further connections to a peer that is far away, and closes them again, as its plan says. Of a peer that a relay
// leads to there is one, and a better way is tried first.

import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import type { Manifest } from '../../common/manifest.ts'
import { isRoundabout } from '../way.ts'
import { BetterWays } from './better-ways.ts'
import type { Contact } from './contact.ts'
import { giversMax, isFar, LanePlan, missingMin } from './lane-plan.ts'
import { openLane } from './lanes-ahead.ts'
import type { PeerLanes } from './peer-lanes.ts'
import type { OpenedBeside } from './beside.ts'
import type { PeerLink } from './peer-link.ts'
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
  readonly picker: Pick<Picker, 'missingCount' | 'hasOnOffer' | 'onGivenUp'>
  readonly underWay: Pick<UnderWay, 'isBehind' | 'onFar'>
  readonly rank: Pick<Rank, 'goesFirst'>
  /** It can be asked on one more. */
  readonly onOpened: (contact: Contact) => void
}

/** Most comes from a peer that gives this part of all: of two that are equally far, each does. */
const mostShare = 0.4
/** Trials are worth it while more is missing than comes in this time. */
const restSeconds = 2

interface Planned {
  readonly plan: LanePlan
  /** Not opened. */
  failed: number
}

export class Lanes {
  readonly #options: LanesOptions
  readonly #planned = new WeakMap<PeerLanes, Planned>()
  readonly #betterWays: BetterWays
  #stopped = false

  constructor(options: LanesOptions) {
    this.#options = options
    const { fileId } = options.manifest
    this.#betterWays = new BetterWays({ ...options, fileId, onMoved: options.onOpened })
  }

  /** Called several times a second. `bytesPerSecond`: of all peers. */
  look(nowMs: number, bytesPerSecond: number): void {
    const { network, linked } = this.#options
    this.#betterWays.look(nowMs)
    if (network.lanes === undefined) return
    for (const contact of [...linked]) this.#look(contact, nowMs, bytesPerSecond)
    this.#tellUnderWay(nowMs)
  }

  /**
   * There is nothing else to ask of this peer: picks something anew that waits on a much slower connection. Its refusal there,
   * which comes behind all that is on its way, is not waited for.
   */
  pickAgain<T>({ key }: Contact, link: PeerLanes, pick: (key: string) => T): T | undefined {
    const back = link.takeBackLast()
    for (const request of back) {
      request.isGivenUp = true
      if (request.index !== undefined) this.#options.picker.onGivenUp(key, request.index)
    }
    return back.length === 0 ? undefined : pick(key)
  }

  stop(): void {
    this.#stopped = true
    this.#betterWays.stop()
  }

  #tellUnderWay(nowMs: number): void {
    const { linked, underWay } = this.#options
    let further = 0
    for (const { link } of linked) further += (link?.count ?? 1) - 1
    underWay.onFar(piecesOnTheWay(linked, nowMs), further)
  }

  #look(contact: Contact, nowMs: number, bytesPerSecond: number): void {
    const { link, pace, share } = contact
    const { network, knownCount, linked, picker, underWay, rank } = this.#options
    const places = network.lanes
    if (link === undefined || link.route.way === 'relayed' || places?.mayBeFar(link.peer) !== true) return
    for (const opening of link.takeBeside()) void this.#add(contact, link, opening)
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
    while (link.count + link.opening < count && !this.#stopped) {
      const giveBack = this.#options.network.lanes?.take()
      if (giveBack === undefined) return
      void this.#add(contact, link, this.#open(contact, link, giveBack))
    }
  }

  #of(link: PeerLanes): Planned {
    const known = this.#planned.get(link)
    if (known !== undefined) return known
    const planned = { plan: new LanePlan(), failed: 0 }
    this.#planned.set(link, planned)
    return planned
  }

  /** Uses a connection that is being opened, once it is. */
  async #add(
    contact: Contact,
    link: PeerLanes,
    opening: Promise<OpenedBeside<PeerLink> | undefined>,
  ): Promise<void> {
    link.opening++
    const opened = await opening
    link.opening--
    if (opened === undefined) this.#of(link).failed++
    else if (this.#isWanted(contact, link)) {
      link.add(opened.link, opened.giveBack)
      // Those that begin later than others find the queue in front of the line filled, and take that for congestion.
      this.#tellUnderWay(performance.now())
      this.#options.onOpened(contact)
    } else {
      opened.link.close('not needed')
      opened.giveBack()
    }
  }

  #isWanted(contact: Contact, link: PeerLanes): boolean {
    return !this.#stopped && contact.link === link
  }

  async #open(
    contact: Contact,
    link: PeerLanes,
    giveBack: () => void,
  ): Promise<OpenedBeside<PeerLink> | undefined> {
    const { network, manifest, ticket } = this.#options
    const { peer, route } = link
    const request = { peer, fileId: manifest.fileId, dialsOnly: !isRoundabout(route.way) }
    try {
      const opened = await network.turns.run(async () =>
        this.#isWanted(contact, link) ? openLane(network, { ...request, ticket: ticket() }) : undefined,
      )
      if (opened !== undefined) return { link: opened, giveBack }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
    }
    giveBack()
    return undefined
  }
}

/** About how many pieces are on their way from far peers at each moment, with those that wait in front of the line. */
function piecesOnTheWay(linked: Iterable<Contact>, nowMs: number): number {
  let bytes = 0
  for (const { link, pace } of linked)
    if (link !== undefined && isFar(link.roundTripMs))
      bytes += (pace.bytesPerSecond(nowMs) * link.roundTripMs) / 1000
  return Math.ceil((2 * bytes) / pieceBytes)
}
