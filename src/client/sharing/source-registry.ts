// Who serves what: the one place where the peer server meets the share library and the downloads; none of
// them knows the others. What the trackers are told of a name follows from what is offered for its content,
// so a listing that calls this client a seeder is right, in whatever order things happen.

import type { FileVersion } from '../../common/protocol/fields.ts'
import { MergedSource } from './merged-source.ts'
import { sourceKey, type PieceSource } from './piece-source.ts'

/** What peers that are connected have to hear. */
export interface SourceEvents {
  onHave(group: string, fileId: string, index: number): void
  onWithdrawn(group: string, fileId: string, why: string): void
}

/** How the trackers are told. */
export interface Announcing {
  /** Resolves when the first tracker that is asked has answered. Never rejects. */
  announce(file: FileVersion, complete: boolean): Promise<void>
  retract(file: FileVersion): void
}

/** One source of one content, under one name. */
export interface Offer {
  /** One more piece is there: verified, written and marked. */
  tellHave(index: number): void
  /** The source may have lost pieces, and does not count as whole any more. */
  tellChanged(): void
  /** From now on the trackers are to know. Resolves when the first of them does; as often as you like. */
  announce(): Promise<void>
  /** Ends this offer; as often as you like. Peers hear of it only when nothing else offers the content. */
  withdraw(why: string): void
}

/** A name with a content, and what is offered and told of it. */
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
  /** What may be told of it. */
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

  /** Serves this from now on, beside whatever else serves the same content. */
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
    // Peers that are connected opened the file as it was: they are to open it again.
    if (isMore && content.offers.size > 1)
      this.#events?.onWithdrawn(file.group, file.fileId, 'more of it is served now')
    this.refresh(content, named)
    return offer
  }

  find(group: string, fileId: string): PieceSource | undefined {
    return this.#contents.get(sourceKey(group, fileId))?.source
  }

  /** For offers alone. */
  onHave({ source }: Content, { file }: Named, index: number): void {
    if (source.have.has(index)) return
    source.have.set(index)
    this.#events?.onHave(file.group, file.fileId, index)
  }

  /** For offers alone. */
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
    this.#events?.onWithdrawn(group, fileId, why)
  }

  /** For offers alone: tells the trackers what has changed for this name, or for all when the content did. */
  refresh(content: Content, named: Named): void {
    const standing = standingOf(content)
    const isNew = standing !== content.standing
    content.standing = standing
    // A content may have thousands of names.
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

/** Complete as soon as one source has all: pieces that are spread over several may go with any of them. */
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

  /** As far as is known, the source has all of the content. */
  get isWhole(): boolean {
    return !this.#hasChanged && this.source.have.isFull
  }

  tellHave(index: number): void {
    if (this.#isOver) return
    this.#registry.onHave(this.content, this.named, index)
    // The first piece makes this client worth asking, and the last one makes it a seeder.
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
