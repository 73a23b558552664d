// Joins the peer server with the share library and the downloads, which do not know each other. Shares and
// downloads offer sources, each under its name; the sources of one content are served as one. What the trackers are
// told of a name follows from these offers, so listings are right whatever order things happen in.

import type { FileVersion } from '../../common/protocol/fields.ts'
import { MergedSource } from './merged-source.ts'
import { sourceKey, type PieceSource } from './piece-source.ts'

/** Tells connected peers. */
export interface SourceEvents {
  onHave(group: string, fileId: string, index: number): void
  onWithdrawn(group: string, fileId: string, why: string): void
}

/** Tells the trackers. */
export interface Announcing {
  /** Resolves when the first tracker has answered. Never rejects. */
  announce(file: FileVersion, complete: boolean): Promise<void>
  retract(file: FileVersion): void
}

/** One source of one content, under one name. */
export interface Offer {
  /** The source has one more piece: verified, written and marked. */
  tellHave(index: number): void
  /** The source may have lost pieces. It no longer counts as whole. */
  tellChanged(): void
  /** Lets the trackers know of it from now on. Resolves when the first has answered. May be repeated. */
  announce(): Promise<void>
  /** Ends the offer. Peers are told only when nothing else offers the content. May be repeated. */
  withdraw(why: string): void
}

/** One name of a content: its offers, and what the trackers were told. */
interface Named {
  readonly file: FileVersion
  readonly offers: Set<OneOffer>
  told: Standing
  telling: Promise<void>
}

interface Content {
  readonly source: MergedSource
  readonly offers: Set<OneOffer>
  /** By name. */
  readonly named: Map<string, Named>
  /** What the trackers may be told of any of its names. */
  standing: Standing
}

type Standing = 'complete' | 'partial' | undefined

export class SourceRegistry {
  readonly #contents = new Map<string, Content>()
  #events: SourceEvents | undefined
  #announcing: Announcing | undefined

  /** Sets who tells connected peers. */
  listen(events: SourceEvents): void {
    this.#events = events
  }

  /** Sets who tells the trackers. */
  announceBy(announcing: Announcing): void {
    this.#announcing = announcing
  }

  /** Serves this source from now on, beside others of the same content. */
  offer(file: FileVersion, source: PieceSource): Offer {
    const key = sourceKey(file.group, file.fileId)
    let content = this.#contents.get(key)
    if (content === undefined) {
      content = {
        source: new MergedSource(source.manifest),
        offers: new Set(),
        named: new Map(),
        standing: undefined,
      }
      this.#contents.set(key, content)
    }
    let named = content.named.get(file.name)
    if (named === undefined) {
      named = { file, offers: new Set(), told: undefined, telling: Promise.resolve() }
      content.named.set(file.name, named)
    }
    const offer = new OneOffer(this, content, named, source)
    content.offers.add(offer)
    named.offers.add(offer)
    const isMore = content.source.add(source)
    // Connected peers opened the file as it was, so they have to open it again.
    if (isMore && content.offers.size > 1)
      this.#events?.onWithdrawn(file.group, file.fileId, 'more of it is served now')
    this.refresh(content, named)
    return offer
  }

  find(group: string, fileId: string): PieceSource | undefined {
    return this.#contents.get(sourceKey(group, fileId))?.source
  }

  /** Resolves when the piece is here, nothing of the content is served any more, or the signal aborts. */
  async whenHere(group: string, fileId: string, index: number, signal: AbortSignal): Promise<void> {
    await this.#contents.get(sourceKey(group, fileId))?.source.whenHere(index, signal)
  }

  /** The names under which the content is offered. */
  namesOf(group: string, fileId: string): Iterable<string> {
    return this.#contents.get(sourceKey(group, fileId))?.named.keys() ?? []
  }

  /** A name under which the content is offered; undefined when it is not. */
  nameOf(group: string, fileId: string): string | undefined {
    const [name] = this.namesOf(group, fileId)
    return name
  }

  /** Called by offers only. */
  onHave({ source }: Content, { file }: Named, index: number): void {
    if (source.have.has(index)) return
    source.onHave(index)
    this.#events?.onHave(file.group, file.fileId, index)
  }

  /** Called by offers only. */
  remove(offer: OneOffer, why: string): void {
    const { content, named } = offer
    content.offers.delete(offer)
    named.offers.delete(offer)
    content.source.remove(offer.source)
    this.refresh(content, named)
    const { group, name, fileId } = named.file
    if (named.offers.size === 0) content.named.delete(name)
    if (content.offers.size > 0) return
    this.#contents.delete(sourceKey(group, fileId))
    content.source.end()
    this.#events?.onWithdrawn(group, fileId, why)
  }

  /** Called by offers only: tells the trackers what changed for this name, or for all names of the content. */
  refresh(content: Content, named: Named): void {
    const standing = standingOf(content)
    const isNew = standing !== content.standing
    content.standing = standing
    // One content may have thousands of names, so all are visited only when they have to be.
    for (const each of isNew ? content.named.values() : [named]) this.#tell(each, standing)
  }

  #tell(named: Named, standing: Standing): void {
    let isWanted = false
    for (const offer of named.offers) isWanted ||= offer.isAnnounced
    const truth = isWanted ? standing : undefined
    if (truth === named.told) return
    named.told = truth
    if (truth === undefined) this.#announcing?.retract(named.file)
    else named.telling = this.#announcing?.announce(named.file, truth === 'complete') ?? Promise.resolve()
  }
}

/** Complete only if one source has every piece: pieces spread over several are lost with any of them. */
function standingOf({ source, offers }: Content): Standing {
  if (source.have.isFull) {
    for (const offer of offers) if (offer.isWhole) return 'complete'
  }
  return source.have.count > 0 ? 'partial' : undefined
}

class OneOffer implements Offer {
  readonly content: Content
  readonly named: Named
  readonly source: PieceSource
  isAnnounced = false
  readonly #registry: SourceRegistry
  #hasChanged = false
  #isOver = false

  constructor(registry: SourceRegistry, content: Content, named: Named, source: PieceSource) {
    this.#registry = registry
    this.content = content
    this.named = named
    this.source = source
  }

  /** Whether the source is known to have the whole content. */
  get isWhole(): boolean {
    return !this.#hasChanged && this.source.have.isFull
  }

  tellHave(index: number): void {
    if (this.#isOver) return
    this.#registry.onHave(this.content, this.named, index)
    // The first piece makes this client worth asking; the last makes it a seeder.
    const { count, isFull } = this.content.source.have
    if (count === 1 || isFull) this.#registry.refresh(this.content, this.named)
  }

  tellChanged(): void {
    if (this.#isOver) return
    this.#hasChanged = true
    this.content.source.lookAgain()
    this.#registry.refresh(this.content, this.named)
  }

  announce(): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    this.isAnnounced = true
    this.#registry.refresh(this.content, this.named)
    return this.named.telling
  }

  withdraw(why: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#registry.remove(this, why)
  }
}
