// What is shared: a file or a folder of this machine, and how the library deals with either.

import type { Manifest } from '../../common/manifest.ts'
import type { Answer } from '../../common/refusal.ts'
import type { SharedFile } from '../operations.ts'
import { smallManifest } from '../storage/small-manifest.ts'
import type { RememberedShare } from '../storage/user-store.ts'
import type { FileStamp } from './file-stamp.ts'
import type { PieceSource } from './piece-source.ts'

/** The name under which something is shared, and where it is. */
export interface NamedPath {
  readonly group: string
  readonly name: string
  readonly path: string
}

/** A content whose pieces are known, and were what is on disk. */
export interface LocalContent {
  readonly manifest: Manifest
  /** By which it is recognised at the next login. */
  readonly stamp: FileStamp
  /** Whether `save` has something to do, and the stamp is to be remembered. */
  readonly isNew: boolean
  /** Of a folder: its tree, encoded. */
  readonly tree?: Buffer
  /** Files of a folder that were left out, the first few by path. */
  readonly skipped?: { readonly paths: readonly string[]; readonly count: number }
  /** Keeps what the next login needs. Rejects with a `file` failure. */
  save(): Promise<void>
  serve(events: ContentEvents): ServedContent
}

/** What the record of a share says of a content. */
export function recordOf(
  manifest: Manifest,
): Pick<RememberedShare, 'fileId' | 'sizeBytes' | 'files' | 'manifest'> {
  const { fileId, sizeBytes, folder } = manifest
  return {
    fileId,
    sizeBytes,
    ...(folder === undefined ? {} : { files: folder.files }),
    ...smallManifest(manifest),
  }
}

/** What whoever shared it is told. */
export function sharedInfo(
  { name, group, sizeBytes, files }: RememberedShare,
  { manifest, skipped }: LocalContent,
): SharedFile {
  return {
    name,
    group,
    sizeBytes,
    ...(files === undefined ? {} : { files }),
    pieceCount: manifest.pieceCount,
    ...(skipped === undefined ? {} : { skipped }),
  }
}

export interface ContentEvents {
  /** This file, or one of the folder, was written to. Told once. From now on `have` loses pieces that are found changed. */
  onChanged(path: string): void
  /** Nothing is left to serve: another file is there, or no piece is unchanged. Told once. */
  onGone(): void
  /** It cannot be read now: removed, or its disk is away. Told once; it is not read again. */
  onAway(why: string): void
}

/** A content that is one file, of which any bytes can be read, not only pieces. */
export interface OneFile {
  /** Fills `into` with the bytes from this offset on. False when they may not be those that were hashed. */
  readAt(offset: number, into: Buffer): Promise<boolean>
  /**
   * Runs `use` with the descriptor of the open file, which stays open until that settles. Nobody has looked whether the file
   * is what it was: whoever reads it verifies what was read. Undefined when it cannot be opened.
   */
  lend<T>(use: (file: number) => Promise<T>): Promise<T | undefined>
}

/** A content that is served. */
export interface ServedContent extends PieceSource {
  /** Undefined for a folder. */
  readonly file: OneFile | undefined
  /** How many looks see all of it. */
  readonly looks: number
  /** Of a folder, the files that are not what they were, by path. */
  readonly changed: readonly string[]
  /** Checks, without reading, a part of it. Never rejects. */
  look(): Promise<void>
  /** Refuses further reads and those under way, without reporting a change. */
  close(): void
}

/** Why a remembered share is not served. `isAway`: it cannot be read now, so the library waits for it. */
export interface Problem {
  readonly sentence: string
  readonly isAway: boolean
}

export function changedProblem(path: string): Problem {
  return { sentence: `${path} changed; upload it again`, isAway: false }
}

export function awayProblem(path: string): Problem {
  return { sentence: `${path} is not there`, isAway: true }
}

export interface TakeOptions {
  /** Of a folder, leave out what is neither a file nor a folder, instead of refusing it. */
  readonly skipSpecial: boolean
  /** A file that was served until lately, and is as it was by its stamp, need not be hashed. */
  readonly trustsStamp?: boolean
}

/** What can be done with files, and likewise with folders. */
export interface ContentKind {
  /** Hashes what is there. Refuses what changes meanwhile, and what others could not have in the same way. */
  take(file: NamedPath, stamp: FileStamp, options: TakeOptions): Promise<Answer<LocalContent>>
  /**
   * Finds a share again, by its stamp or by its content. Undefined as soon as `isOver`. May reject with a failure when
   * it cannot be read.
   */
  again(share: RememberedShare, isOver: () => boolean): Promise<LocalContent | Problem | undefined>
  /** Takes what is there for what was just written. Undefined when it is not there. */
  adopt(share: NamedPath, manifest: Manifest): Promise<LocalContent | undefined>
}
