// What guests get by a link to an entry that is in memory, with an upload queue of its own.

import { onTestFinished } from 'vitest'
import { GuestOffice } from '../../../src/client/guests/guest-office.ts'
import type { GuestEntry } from '../../../src/client/guest-links.ts'
import type { Link } from '../../../src/client/guests/link-book.ts'
import { EntryLimits } from '../../../src/client/sharing/entry-limits.ts'
import type { PieceSource } from '../../../src/client/sharing/piece-source.ts'
import { SourceRegistry, type Offer } from '../../../src/client/sharing/source-registry.ts'
import { UploadQueue } from '../../../src/client/sharing/upload-queue.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { lengthOfPiece, offsetOfPiece, type Manifest } from '../../../src/common/manifest.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { TokenBucket } from '../../../src/common/token-bucket.ts'
import { ann, madeIn, oneBook, type OneBook } from './one-book.ts'

export const guest = '1.2.3.4'

export interface OneOffice extends OneBook {
  readonly office: GuestOffice
  readonly uploads: UploadQueue
  readonly bucket: TokenBucket
  readonly limits: EntryLimits
  readonly link: Link
  readonly secret: string
  readonly offer: Offer
  /** Pieces that were read. */
  readonly reads: number[]
  readonly failures: unknown[]
  /** What is on disk, which a test may change. */
  readonly content: Buffer
  entry(): GuestEntry
}

interface Shared {
  readonly content: Buffer
  readonly manifest: Manifest
  readonly name?: string
}

export async function oneOffice(
  { content, manifest, name = 'e' }: Shared,
  { stalledMs, times }: { stalledMs?: number; times?: number } = {},
): Promise<OneOffice> {
  const book = oneBook()
  const sources = new SourceRegistry()
  const { fileId, sizeBytes, folder } = manifest
  const [reads, failures]: [number[], unknown[]] = [[], []]
  const source: PieceSource = {
    manifest,
    have: Bitfield.full(manifest.pieceCount),
    read: async (index, buffer) => {
      reads.push(index)
      const from = offsetOfPiece(manifest, index)
      content.copy(buffer, 0, from, from + lengthOfPiece(manifest, index))
      return content.length > 0 ? accept(undefined) : refuse('file-changed', 'it is gone')
    },
  }
  const file = { group: 'g', name, fileId }
  const offer = sources.offer(file, source)
  const bucket = new TokenBucket()
  const uploads = new UploadQueue(bucket)
  const limits = new EntryLimits(sources)
  const facts = { ...file, sizeBytes, ...(folder && { files: folder.files }), ...(times && { times }) }
  const { secret, link } = await madeIn(book, facts)
  const office = new GuestOffice({
    ...{ book: book.book, sources, uploads, limits },
    ...(stalledMs === undefined ? {} : { stalledMs }),
    onFailure: (error) => failures.push(error),
  })
  // What goes on in the background must not write into a folder that is gone.
  onTestFinished(async () => {
    book.standing = 'unshared'
    await book.book.close()
  })
  const entry = (): GuestEntry => {
    const found = office.find(secret, guest)
    if (found === undefined || 'ended' in found) throw new Error(found?.ended ?? 'there is no such link')
    return found.entry
  }
  return Object.assign(book, {
    ...{ office, uploads, bucket, limits, link, secret, offer, reads, failures, content, entry },
  })
}

/** Fetches a part, as one guest. Rejects with the sentence of a refusal, or when it is cut. */
export async function fetched(
  one: OneOffice,
  { path, from = 0, to, as = guest }: { path?: string; from?: number; to?: number; as?: string } = {},
): Promise<Buffer> {
  const opened = await one.entry().open(path)
  if (!opened.ok) throw new Error(opened.refusal.sentence)
  const { sizeBytes } = opened.value
  const part = { from, to: to ?? sizeBytes, isWhole: from === 0 && (to ?? sizeBytes) === sizeBytes }
  const sent = await opened.value.send(part, as, new AbortController().signal)
  if (!sent.ok) throw new Error(sent.refusal.sentence)
  return Buffer.from(await new Response(sent.value).arrayBuffer())
}

/** Begins to fetch all, and takes the first bytes. */
export async function begun(one: OneOffice, leave = new AbortController()) {
  const opened = await one.entry().open(undefined)
  if (!opened.ok) throw new Error(opened.refusal.sentence)
  const part = { from: 0, to: opened.value.sizeBytes, isWhole: true }
  const sent = await opened.value.send(part, guest, leave.signal)
  if (!sent.ok) throw new Error(sent.refusal.sentence)
  const reader = sent.value.getReader()
  await reader.read()
  return { reader, leave }
}

export { ann }
