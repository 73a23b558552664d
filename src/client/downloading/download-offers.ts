// What running downloads serve to others of what they have.

import type { Offer, SourceRegistry } from '../sharing/source-registry.ts'
import type { Download } from './download.ts'
import type { PieceStore } from './piece-store.ts'

export class DownloadOffers {
  readonly #sources: SourceRegistry
  readonly #offers = new Map<Download, Offer>()

  constructor(sources: SourceRegistry) {
    this.#sources = sources
  }

  /** Under the name of the entry, also for a part of it. */
  offer(download: Download, store: PieceStore): void {
    const { group, name, fileId } = download.record
    const offer = this.#sources.offer({ group, name, fileId }, store)
    this.#offers.set(download, offer)
    // The registry delays the announcement until there is a piece.
    void offer.announce()
  }

  /** It has one more piece. */
  tellHave(download: Download, index: number): void {
    this.#offers.get(download)?.tellHave(index)
  }

  /** It may have lost pieces. */
  tellChanged(download: Download): void {
    this.#offers.get(download)?.tellChanged()
  }

  /** It serves nothing any more. May be repeated. */
  withdraw(download: Download): void {
    this.#offers.get(download)?.withdraw('it is no longer shared')
    this.#offers.delete(download)
  }
}
