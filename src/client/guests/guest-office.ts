// What guests get by a link: finds it, says what it leads to, and sends that through the queue of all uploads.

import { createHash } from 'node:crypto'
import pLimit from 'p-limit'
import { Failure } from '../../common/failure.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { GuestContent, GuestEntry, GuestFile, GuestLink, GuestLinks, GuestPart } from '../guest-links.ts'
import type { EntryLimits } from '../sharing/entry-limits.ts'
import { GuestUpload } from '../sharing/guest-upload.ts'
import type { SourceRegistry } from '../sharing/source-registry.ts'
import type { UploadQueue } from '../sharing/upload-queue.ts'
import {
  eachPiece,
  fileContent,
  GuestFolders,
  VerifiedPieces,
  type BlockedContent,
} from './guest-contents.ts'
import { linkLimits } from './limits.ts'
import type { Link, LinkBook } from './link-book.ts'
import type { Use } from './uses.ts'

export interface GuestOfficeParts {
  readonly book: LinkBook
  readonly sources: Pick<SourceRegistry, 'find'>
  readonly uploads: UploadQueue
  readonly limits: EntryLimits
  readonly stalledMs?: number
  /** A bug. */
  readonly onFailure: (error: unknown) => void
}

export class GuestOffice implements GuestLinks {
  readonly #parts: GuestOfficeParts
  readonly #folders = new GuestFolders()
  /** Files that are hashed as a whole, one after the other. */
  readonly #hashing = pLimit(1)
  readonly #hashed = new Set<Link>()

  constructor(parts: GuestOfficeParts) {
    this.#parts = parts
  }

  find(secret: string, guest: string): GuestLink | undefined {
    const { book } = this.#parts
    const link = book.find(secret)
    if (link === undefined) return undefined
    const ended = book.problemFor(link, guest, true)
    return ended === undefined ? { entry: this.#entryOf(link) } : { ended }
  }

  /** Works out the SHA-256 of a file, which guests compare; the manifest has those of its pieces. */
  hash(link: Link): void {
    if (link.record.sha256 !== undefined || link.record.files !== undefined || this.#hashed.has(link)) return
    this.#hashed.add(link)
    this.#hashing(() => this.#hash(link)).then(() => this.#hashed.delete(link), this.#parts.onFailure)
  }

  async #hash(link: Link): Promise<void> {
    const { book } = this.#parts
    const whole = createHash('sha256')
    const isWhole = await eachPiece(this.#pieces(link), (piece) => {
      whole.update(piece)
      return book.problemOf(link) === undefined
    })
    if (!isWhole) return
    link.record.sha256 = whole.digest('hex')
    await book.save()
  }

  #pieces({ record }: Link): VerifiedPieces {
    return new VerifiedPieces(this.#parts.sources, record)
  }

  #entryOf(link: Link): GuestEntry {
    this.hash(link)
    const { name, user, sizeBytes, files, untilMs, sha256 } = link.record
    return {
      ...{ name, user, sizeBytes, files, untilMs, sha256 },
      list: (max) => this.#list(link, max),
      open: (path) => this.#open(link, path),
    }
  }

  async #list(link: Link, max: number): Promise<Answer<readonly GuestFile[]>> {
    const opened = await this.#folders.open(this.#pieces(link))
    if (!opened.ok) return opened
    const files: GuestFile[] = []
    for (const entry of opened.value.entries) {
      if (files.length >= max) break
      if (entry.kind !== 'folder') files.push({ path: entry.path, sizeBytes: entry.sizeBytes })
    }
    return accept(files)
  }

  async #open(link: Link, path: string | undefined): Promise<Answer<GuestContent>> {
    const { record } = link
    const pieces = this.#pieces(link)
    const { manifest } = pieces
    if (manifest === undefined) return unreadable
    const blocked = await this.#blocked(link, pieces, path)
    if (!blocked.ok) return blocked
    const content = blocked.value ?? fileContent(pieces, manifest, record.name)
    const { name, sizeBytes, tag } = content
    return accept({
      ...{ name, sizeBytes, tag },
      send: (part, guest, signal) => this.#send(link, content, part, guest, signal),
    })
  }

  /** Undefined for a file that is no folder's. */
  #blocked(
    { record: { fileId, name, files } }: Link,
    pieces: VerifiedPieces,
    path: string | undefined,
  ): Promise<Answer<BlockedContent | undefined>> {
    if (files === undefined)
      return Promise.resolve(
        path === undefined ? accept(undefined) : refuse('no-such-file', 'it is no folder'),
      )
    return path === undefined
      ? this.#folders.archive(pieces, fileId, name)
      : this.#folders.file(pieces, fileId, path)
  }

  async #send(
    link: Link,
    content: BlockedContent,
    part: GuestPart,
    guest: string,
    signal: AbortSignal,
  ): Promise<Answer<ReadableStream<Uint8Array>>> {
    const { book } = this.#parts
    const use = await book.use(link, guest, !part.isWhole)
    if (!use.ok) return use
    const problem = book.problemOf(link)
    if (problem !== undefined) return refuse('not-shared', problem)
    if (signal.aborted) return unreadable
    if (part.from >= part.to) return accept(new Response(new Uint8Array()).body ?? new ReadableStream())
    const stream = new GuestStream()
    const upload = this.#upload(link, guest, content, part, use.value, (why) => {
      signal.removeEventListener('abort', leave)
      link.transfers.delete(upload)
      book.onSent(link, guest, upload.sentBytes)
      if (why !== undefined) stream.fail(why)
    })
    const leave = (): void => upload.close('the guest has gone')
    link.transfers.add(upload)
    signal.addEventListener('abort', leave)
    try {
      // Read before anything is said: later there is no way to tell what is wrong.
      return accept(stream.of(upload, await upload.next()))
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      const ended = book.problemOf(link)
      return ended === undefined ? refuse('unavailable', error.message) : refuse('not-shared', ended)
    }
  }

  #upload(
    link: Link,
    guest: string,
    content: BlockedContent,
    { from, to }: GuestPart,
    use: Use,
    onOver: (why: string | undefined) => void,
  ): GuestUpload {
    const { book, uploads, limits, stalledMs } = this.#parts
    const { group, fileId } = link.record
    return new GuestUpload({
      ...{ uploads, limits, guest, group, fileId, from, to },
      blocks: content,
      problem: () => book.problemOf(link),
      onOver,
      onSent: (first, end) => {
        link.sentBytes += end - first
        use.onSent(content.tag, first, end, book.nowMs())
      },
      stalledMs: stalledMs ?? linkLimits.stalledMs,
    })
  }
}

const unreadable = refuse('unavailable', 'it cannot be read at the moment; try again later')

/** Asks for bytes when those before have been taken. */
class GuestStream {
  #stream: ReadableStreamDefaultController<Uint8Array> | undefined

  of(upload: GuestUpload, first: Buffer | undefined): ReadableStream<Uint8Array> {
    let next = first
    return new ReadableStream<Uint8Array>(
      {
        start: (stream) => void (this.#stream = stream),
        pull: async (stream) => {
          const bytes = next ?? (await upload.next())
          next = undefined
          if (bytes === undefined) stream.close()
          else stream.enqueue(bytes)
        },
        cancel: () => upload.close('the guest has gone'),
      },
      { highWaterMark: 0 },
    )
  }

  /** Whoever reads learns it at once, also while they take nothing. */
  fail(why: string): void {
    this.#stream?.error(new Failure('file', why))
  }
}
