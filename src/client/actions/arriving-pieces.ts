// Reads pieces of a content that is shared or downloaded here, and waits for those that are still on their way.

import { setTimeout } from 'node:timers/promises'
import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import { lengthOfPiece, type Manifest } from '../../common/manifest.ts'
import type { Download } from '../downloading/download.ts'
import type { PieceSource } from '../sharing/piece-source.ts'
import type { SourceRegistry } from '../sharing/source-registry.ts'

export interface ArrivingOptions {
  readonly sources: SourceRegistry
  readonly group: string
  readonly fileId: string
  /** What is read, for people. */
  readonly name: string
  /** What fetches it; undefined where nothing does. */
  readonly download: Download | undefined
  /** Aborts when nobody reads any more. */
  readonly signal: AbortSignal
}

/** Pieces that are asked for before others, behind the one that is waited for: 4 MiB. */
const wishedAhead = 8
/** How often to look whether a download has begun to receive, in milliseconds. */
const lookEveryMs = 100

export class ArrivingPieces {
  readonly #options: ArrivingOptions

  constructor(options: ArrivingOptions) {
    this.#options = options
    const { download, signal } = options
    signal.addEventListener('abort', () => download?.wishes.forget(this), { once: true })
  }

  /** Waits for that of a download that has just begun. Rejects with a `file` failure when nothing of it is or comes here. */
  async manifest(): Promise<Manifest> {
    for (;;) {
      const source = this.#source()
      if (source !== undefined) return source.manifest
      const { download } = this.#options
      // What is not given to others is not read here either.
      if (download?.state !== 'running' || download.record.unshared)
        throw new Failure('file', `${this.#options.name} cannot be read at the moment`)
      await setTimeout(lookEveryMs)
    }
  }

  /** Resolves to its bytes; `last`: up to which piece the reader will go on. Rejects with a `file` failure when it does not come, or cannot be read. */
  async read(index: number, last: number): Promise<Buffer> {
    const { sources, group, fileId, name, download, signal } = this.#options
    this.#wish(index, last)
    for (;;) {
      const source = this.#source()
      if (source === undefined)
        throw new Failure('file', `${name} is not here any more, or its download stopped`)
      const wasHere = source.have.has(index)
      if (wasHere) {
        const buffer = Buffer.allocUnsafe(pieceBytes)
        const read = await source.read(index, buffer)
        if (read.ok) return buffer.subarray(0, lengthOfPiece(source.manifest, index))
        // One that turned out to be lost may be fetched again.
        if (source.have.has(index))
          throw new Failure('file', `${name} cannot be read: ${read.refusal.sentence}`)
      }
      if (download?.state !== 'running')
        throw new Failure('file', `this part of ${name} is not here, and is not being fetched`)
      await sources.whenHere(group, fileId, index, signal)
    }
  }

  /** It is asked for first, and those behind it next. */
  #wish(index: number, last: number): void {
    const { download, signal } = this.#options
    if (download === undefined || signal.aborted) return
    const count = Math.min(wishedAhead, last - index + 1)
    download.wishes.want(
      this,
      Array.from({ length: count }, (_, ahead) => index + ahead),
    )
  }

  /** Throws when nobody reads any more. */
  #source(): PieceSource | undefined {
    const { sources, group, fileId, name, signal } = this.#options
    if (signal.aborted) throw new Failure('file', `nobody reads ${name} any more`)
    return sources.find(group, fileId)
  }
}
