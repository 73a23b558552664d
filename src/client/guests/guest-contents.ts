// What is sent by a link: a file, a folder as an archive, or a file of a folder. Each piece is verified before a byte of it
// is sent, since guests have nothing to verify it by.

import { webcrypto } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { Failure } from '../../common/failure.ts'
import { pieceBytes } from '../../common/limits.ts'
import { hashesOfPiece, lengthOfPiece, type FolderFacts, type Manifest } from '../../common/manifest.ts'
import { pieceCount, pieceOffset } from '../../common/pieces.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { checkTree } from '../downloading/folder-tree.ts'
import type { FolderContents } from '../folder/folder-contents.ts'
import { inSlices } from '../folder/in-slices.ts'
import { placeOf } from '../downloading/file-place.ts'
import type { Block, Blocks } from '../sharing/guest-upload.ts'
import type { SourceRegistry } from '../sharing/source-registry.ts'
import { Tar } from './tar.ts'

/** A content by its file id. */
export interface ContentKey {
  readonly group: string
  readonly fileId: string
}

export interface BlockedContent extends Blocks {
  readonly name: string
  readonly sizeBytes: number
  readonly tag: string
}

const away = refuse('unavailable', 'it cannot be read at the moment; try again later')

/** Reads pieces that are whole and right. */
export class VerifiedPieces {
  readonly #sources: Pick<SourceRegistry, 'find'>
  readonly #key: ContentKey

  constructor(sources: Pick<SourceRegistry, 'find'>, key: ContentKey) {
    this.#sources = sources
    this.#key = key
  }

  get manifest(): Manifest | undefined {
    return this.#sources.find(this.#key.group, this.#key.fileId)?.manifest
  }

  /** Resolves to the bytes of a piece, at the start of `buffer`. Refuses one that is not what was shared. */
  async read(index: number, buffer: Buffer): Promise<Answer<Buffer>> {
    const source = this.#sources.find(this.#key.group, this.#key.fileId)
    if (source === undefined) return away
    const read = await source.read(index, buffer)
    if (!read.ok) return read
    const piece = buffer.subarray(0, lengthOfPiece(source.manifest, index))
    // On other threads: it takes a millisecond.
    const { subtle } = webcrypto
    const hashes = await Promise.all([subtle.digest('SHA-1', piece), subtle.digest('SHA-256', piece)])
    const found = Buffer.concat(hashes.map((hash) => Buffer.from(hash)))
    if (found.equals(hashesOfPiece(source.manifest, index))) return accept(piece)
    return refuse('file-changed', 'the file changed on disk')
  }
}

export function fileContent(
  pieces: VerifiedPieces,
  { sizeBytes, fileId }: Manifest,
  name: string,
): BlockedContent {
  return {
    ...{ name, sizeBytes, tag: fileId },
    at: (byte) => {
      const index = Math.floor(byte / pieceBytes)
      return { index, from: pieceOffset(index), to: Math.min(sizeBytes, pieceOffset(index + 1)) }
    },
    load: ({ index }, buffer) => pieces.read(index, buffer),
  }
}

interface LatestFolder {
  readonly fileId: string
  readonly contents: Promise<Answer<FolderContents>>
  tar?: { readonly root: string; readonly made: Promise<Tar> }
}

/** For so long what is in a folder is remembered after it was asked for: a million files fill hundreds of megabytes. */
const rememberedMs = 60_000

/** Opens folders. Remembers what is in the one that was opened last: a page lists it, and asks for its files. */
export class GuestFolders {
  #latest: LatestFolder | undefined
  readonly #forget = setTimeout(() => (this.#latest = undefined), rememberedMs).unref()

  /** Refuses when the tree cannot be read. */
  async open(pieces: VerifiedPieces): Promise<Answer<FolderContents>> {
    const { manifest } = pieces
    if (manifest === undefined) return away
    if (manifest.folder === undefined) return refuse('no-such-file', 'it is a file, not a folder')
    return this.#open(pieces, manifest, manifest.folder).contents
  }

  /** However many ask at the same time, it is read once. */
  #open(pieces: VerifiedPieces, manifest: Manifest, folder: FolderFacts): LatestFolder {
    this.#forget.refresh()
    if (this.#latest?.fileId === manifest.fileId) return this.#latest
    const latest: LatestFolder = { fileId: manifest.fileId, contents: this.#read(pieces, folder) }
    this.#latest = latest
    void latest.contents.then(({ ok }) => {
      if (!ok && this.#latest === latest) this.#latest = undefined
    })
    return latest
  }

  async #read(pieces: VerifiedPieces, folder: FolderFacts): Promise<Answer<FolderContents>> {
    const tree: Buffer[] = []
    for (let index = 0; index < pieceCount(folder.treeBytes); index++) {
      const piece = await pieces.read(index, Buffer.alloc(pieceBytes))
      if (!piece.ok) return piece
      tree.push(piece.value)
    }
    try {
      return accept(await checkTree(folder, Buffer.concat(tree)))
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return refuse('unavailable', error.message)
    }
  }

  /** All of it. Refuses likewise. */
  async archive(pieces: VerifiedPieces, fileId: string, name: string): Promise<Answer<BlockedContent>> {
    const opened = await this.open(pieces)
    if (!opened.ok) return opened
    const tar = await this.#tarOf(fileId, name, opened.value)
    const blockAt = (index: number): Block => ({
      index,
      from: tar.offsets[index] ?? 0,
      to: tar.offsets[index + 1] ?? 0,
    })
    return accept({
      ...{ name: `${name}.tar`, sizeBytes: tar.sizeBytes, tag: `${fileId}-tar` },
      at: (byte) => blockAt(tar.blockAt(byte)),
      load: async ({ index }, buffer) => {
        const { piece } = tar.blocks[index] ?? {}
        if (piece === undefined) return accept(tar.make(index, Buffer.alloc(0)))
        const read = await pieces.read(piece, buffer)
        return read.ok ? accept(tar.make(index, read.value)) : read
      },
    })
  }

  async #tarOf(fileId: string, root: string, { entries, layout }: FolderContents): Promise<Tar> {
    const latest = this.#latest?.fileId === fileId ? this.#latest : undefined
    if (latest?.tar?.root === root) return latest.tar.made
    const made = inSlices(Tar.laying(root, entries, layout))
    if (latest !== undefined) latest.tar = { root, made }
    return made
  }

  /** One file of it. Refuses likewise, and where there is none at this path. */
  async file(pieces: VerifiedPieces, fileId: string, path: string): Promise<Answer<BlockedContent>> {
    const opened = await this.open(pieces)
    if (!opened.ok) return opened
    const place = placeOf(opened.value, path)
    if (place === undefined) return refuse('no-such-file', `there is no file ${path}`)
    const { entry, sizeBytes, firstPiece, offset } = place
    const name = path.split('/').at(-1) ?? path
    return accept({
      ...{ name, sizeBytes, tag: `${fileId}-${entry}` },
      at: (byte) => {
        const index = Math.floor((offset + byte) / pieceBytes)
        const from = Math.max(0, index * pieceBytes - offset)
        return { index: firstPiece + index, from, to: Math.min(sizeBytes, (index + 1) * pieceBytes - offset) }
      },
      load: async ({ index, from, to }, buffer) => {
        const read = await pieces.read(index, buffer)
        if (!read.ok) return read
        // Other small files lie in the same piece.
        const start = index === firstPiece ? offset : 0
        return accept(read.value.subarray(start, start + to - from))
      },
    })
  }
}

/** Reads all pieces of a file, one in each turn; false when one cannot be read, or `take` wants no more. */
export async function eachPiece(pieces: VerifiedPieces, take: (piece: Buffer) => boolean): Promise<boolean> {
  const buffer = Buffer.alloc(pieceBytes)
  for (let index = 0; index < (pieces.manifest?.pieceCount ?? 0); index++) {
    const read = await pieces.read(index, buffer)
    if (!read.ok || !take(read.value)) return false
    await setImmediate()
  }
  return pieces.manifest !== undefined
}
