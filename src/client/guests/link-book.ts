// The links for guests of this client: made, found by their secrets, counted, and ended. A link is for the content that it
// was made for: whoever makes one hands out what they have looked at, and not what somebody puts in its place later.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { FileVersion } from '../../common/protocol/fields.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { LinkView } from '../link-operations.ts'
import type { ClientEvent } from '../operations.ts'
import type { LinkEnd, LinkStore, RememberedLink } from '../storage/link-store.ts'
import type { GuestAct } from './guest-audit.ts'
import { fetchesBy, type GuestFetch, type GuestTransfer } from './guest-fetches.ts'
import { linkLimits } from './limits.ts'
import { Uses, type Use } from './uses.ts'

/** How what a link leads to stands in this client. */
export type LinkStanding = 'shared' | 'logged-out' | 'unshared'

/** Of whoever makes links: a user in a community. */
export interface LinkMaker {
  readonly community: string
  readonly user: string
}

export interface LinkBookParts {
  readonly store: LinkStore
  /** Milliseconds since 1970. */
  readonly nowMs: () => number
  readonly standing: (link: LinkMaker & FileVersion) => LinkStanding
  readonly onEvent: (event: ClientEvent) => void
  readonly onAct: (act: GuestAct) => void
}

export class Link {
  readonly record: RememberedLink
  readonly uses: Uses
  readonly transfers = new Set<GuestTransfer>()
  /** Since the start of this client. */
  sentBytes = 0

  constructor(record: RememberedLink) {
    this.record = record
    this.uses = new Uses(record.sizeBytes, record.guests)
  }

  is({ community, user }: LinkMaker): boolean {
    return this.record.community === community && this.record.user === user
  }
}

/** What a link is made for. */
export interface LinkWish extends LinkMaker, FileVersion {
  readonly sizeBytes: number
  readonly files?: number | undefined
  readonly forMs: number
  readonly times?: number | undefined
}

export class LinkBook {
  readonly #parts: LinkBookParts
  #next: number
  /** By the hash of their secrets, in the order in which they were made. */
  readonly #links: Map<string, Link>

  /** Throws a `data` failure when what is remembered cannot be read. */
  constructor(parts: LinkBookParts) {
    this.#parts = parts
    const { next, links } = parts.store.load()
    this.#next = next
    this.#links = new Map(links.map((record) => [record.secretHash, new Link(record)]))
  }

  /** Milliseconds since 1970. */
  nowMs(): number {
    return this.#parts.nowMs()
  }

  /** Resolves to the secret, 256 bits in base64url, once the link is durable. */
  async make({ forMs, ...wish }: LinkWish): Promise<Answer<{ secret: string; link: Link }>> {
    this.#forgetOld()
    const openCount = [...this.#links.values()].filter((each) => this.problemOf(each) === undefined).length
    if (openCount >= linkLimits.open)
      return refuse('over-quota', `there are ${linkLimits.open} links already; revoke_link takes one back`)
    const secret = randomBytes(32).toString('base64url')
    const madeAtMs = this.nowMs()
    const link = new Link({
      ...wish,
      number: this.#next++,
      secretHash: hashOf(secret).toString('hex'),
      madeAtMs,
      untilMs: madeAtMs + forMs,
      uses: 0,
      guests: [],
    })
    this.#links.set(link.record.secretHash, link)
    await this.save()
    this.#act(link, 'link_made', { until: new Date(link.record.untilMs).toISOString(), times: wish.times })
    return accept({ secret, link })
  }

  /** The link with this secret, ended or not. */
  find(secret: string): Link | undefined {
    const hash = hashOf(secret)
    const link = this.#links.get(hash.toString('hex'))
    // A map compares as fast as it can, so what it found is compared once more.
    if (link === undefined || !timingSafeEqual(hash, Buffer.from(link.record.secretHash, 'hex')))
      return undefined
    return this.#isForgotten(link) ? undefined : link
  }

  /** Why nothing is given by a link any more, as a sentence for a guest. */
  problemOf({ record }: Link): string | undefined {
    if (record.ended?.why === 'revoked') return 'this link was taken back'
    if (record.ended?.why === 'unshared') return unshared
    if (this.nowMs() >= record.untilMs) return 'the time of this link is over'
    return problems[this.#parts.standing(record)]
  }

  /** Likewise for one guest: who has begun to fetch may go on. `isPart`: a part is asked for. */
  problemFor(link: Link, guest: string, isPart: boolean): string | undefined {
    const problem = this.problemOf(link)
    if (problem !== undefined || this.#usesLeft(link) > 0) return problem
    if (link.uses.find(guest, isPart, this.nowMs()) !== undefined) return undefined
    return 'this link was used as often as it may be'
  }

  /**
   * Counts a request of a guest: as one more use, unless it is part of one that is not over. Takes effect at once, and
   * resolves when it is durable: nothing is sent before.
   */
  async use(link: Link, guest: string, isPart: boolean): Promise<Answer<Use>> {
    const problem = this.problemFor(link, guest, isPart)
    if (problem !== undefined) return refuse('not-shared', problem)
    const known = link.uses.find(guest, isPart, this.nowMs())
    if (known !== undefined) {
      // The first request of it may be on its way to the disk.
      await this.#parts.store.saved()
      return accept(known)
    }
    const { record } = link
    const use = link.uses.begin(guest)
    record.uses++
    record.guests = link.uses.guests
    const { number, group, name, times, uses } = record
    await this.save()
    this.#act(link, 'link_used', { from: guest, use: uses })
    this.#parts.onEvent({
      kind: 'link-used',
      link: number,
      group,
      name,
      guest,
      uses,
      ...(times && { times }),
    })
    return accept(use)
  }

  /** A transfer to a guest has ended. */
  onSent(link: Link, guest: string, sentBytes: number): void {
    this.#act(link, 'guest_sent', { from: guest, bytes: sentBytes })
  }

  /** What guests fetch at the moment. */
  fetches(): GuestFetch[] {
    return fetchesBy(this.#links.values(), performance.now())
  }

  /** The links of a user that are good, or ended of late, in the order in which they were made. */
  list(maker: LinkMaker): LinkView[] {
    this.#forgetOld()
    return [...this.#links.values()].filter((link) => link.is(maker)).map((link) => this.#viewOf(link))
  }

  /** Takes a link back: it is dead when this resolves, and what it was giving has ended. */
  async revoke(maker: LinkMaker, number: number): Promise<Answer<RememberedLink>> {
    const link = [...this.#links.values()].find((each) => each.record.number === number && each.is(maker))
    if (link === undefined || this.#isForgotten(link))
      return refuse('not-shared', `there is no link ${number}; list_links lists yours`)
    if (link.record.ended === undefined) await this.#end(link, 'revoked')
    return accept(link.record)
  }

  /** A user does not share this content under this name any more. */
  async onUnshared(maker: LinkMaker, { group, name, fileId }: FileVersion): Promise<void> {
    const ended = [...this.#links.values()].filter((link) => {
      const { record } = link
      const isIt = record.group === group && record.name === name && record.fileId === fileId
      return isIt && link.is(maker) && this.nowMs() < overAtMs(record)
    })
    // All in this turn, before any of it is durable.
    await Promise.all(ended.map((link) => this.#end(link, 'unshared')))
  }

  /** Ends what is given by links that are not good at the moment. */
  look(): void {
    for (const link of this.#links.values()) {
      const problem = link.transfers.size === 0 ? undefined : this.problemOf(link)
      if (problem !== undefined) endTransfers(link, problem)
    }
  }

  /** Resolves when all that changed is on disk. */
  save(): Promise<void> {
    return this.#parts.store.save(() => ({
      version: 1,
      next: this.#next,
      links: [...this.#links.values()].map(({ record }) => record),
    }))
  }

  /** Ends all transfers. Resolves when what is remembered is on disk. */
  close(): Promise<void> {
    for (const link of this.#links.values()) endTransfers(link, 'the program has ended')
    return this.#parts.store.saved()
  }

  #usesLeft({ record: { times = Infinity, uses } }: Link): number {
    return times - uses
  }

  async #end(link: Link, why: LinkEnd): Promise<void> {
    const { record } = link
    record.ended = { why, atMs: this.nowMs() }
    const { number, group, name } = record
    this.#act(link, 'link_ended', { why })
    endTransfers(link, this.problemOf(link) ?? unshared)
    // Whoever takes it back is told by the reply.
    if (why === 'unshared') this.#parts.onEvent({ kind: 'link-ended', link: number, group, name })
    await this.save()
  }

  #viewOf(link: Link): LinkView {
    const { number, group, name, sizeBytes, files, madeAtMs, untilMs, times, uses } = link.record
    const why =
      this.problemOf(link) ?? (this.#usesLeft(link) > 0 ? undefined : 'it was used as often as it may be')
    return {
      ...{ link: number, group, name, sizeBytes, madeAtMs, untilMs, uses },
      ...(files === undefined ? {} : { files }),
      ...(times === undefined ? {} : { times }),
      isOpen: why === undefined,
      ...(why === undefined ? {} : { why }),
      fetching: link.transfers.size,
      sentBytes: link.sentBytes,
    }
  }

  #act({ record }: Link, what: string, more: Readonly<Record<string, string | number | undefined>>): void {
    const { number, user, group, name } = record
    this.#parts.onAct({ what, who: user, link: number, group, name, ...more })
  }

  #isForgotten({ record }: Link): boolean {
    return this.nowMs() >= overAtMs(record) + linkLimits.rememberedMs
  }

  #forgetOld(): void {
    for (const [hash, link] of this.#links) if (this.#isForgotten(link)) this.#links.delete(hash)
    const nowMs = this.nowMs()
    const over = [...this.#links].filter(([, { record }]) => nowMs >= overAtMs(record))
    for (const [hash] of over.slice(0, Math.max(0, over.length - linkLimits.ended))) this.#links.delete(hash)
  }
}

const unshared = 'what this link leads to is not shared any more'

const problems: Readonly<Record<LinkStanding, string | undefined>> = {
  shared: undefined,
  'logged-out': 'whoever made this link is not logged in at the moment; try again later',
  unshared,
}

function overAtMs({ ended, untilMs }: RememberedLink): number {
  return Math.min(ended?.atMs ?? untilMs, untilMs)
}

function endTransfers({ transfers }: Link, why: string): void {
  for (const transfer of transfers) transfer.close(why)
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
