// Single files as contents that are shared.

import type { Manifest } from '../../common/manifest.ts'
import { accept, type Answer } from '../../common/refusal.ts'
import type { ManifestStore } from '../storage/manifest-store.ts'
import { isSmall, manifestIn } from '../storage/small-manifest.ts'
import type { RememberedShare } from '../storage/user-store.ts'
import { canRead } from './absent-file.ts'
import { sizeOf, stampAt, type FileStamp } from './file-stamp.ts'
import { FormerContents } from './former-contents.ts'
import type { HashingFiles } from './hashing-files.ts'
import {
  awayProblem,
  changedProblem,
  type ContentEvents,
  type ContentKind,
  type LocalContent,
  type NamedPath,
  type Problem,
  type ServedContent,
  type TakeOptions,
} from './local-content.ts'
import { SharedFile } from './shared-file.ts'

export class SharedFiles implements ContentKind {
  readonly #hashing: HashingFiles
  readonly #manifests: ManifestStore
  readonly #former = new FormerContents()

  constructor(hashing: HashingFiles, manifests: ManifestStore) {
    this.#hashing = hashing
    this.#manifests = manifests
  }

  async take(
    file: NamedPath,
    stamp: FileStamp,
    { trustsStamp = false }: TakeOptions,
  ): Promise<Answer<LocalContent>> {
    const former = trustsStamp ? this.#former.find(file.path, stamp) : undefined
    if (former !== undefined) return accept(former)
    const hashed = await this.#hashing.hash(file, stamp)
    return hashed.ok ? accept(this.#content(file.path, hashed.value, stamp, true)) : hashed
  }

  async again(share: RememberedShare, isOver: () => boolean): Promise<LocalContent | Problem | undefined> {
    const { path, fileId } = share
    const stamp = await stampAt(path)
    if (isOver()) return undefined
    if (stamp === undefined) return awayProblem(path)
    const manifest = manifestIn(share) ?? this.#manifests.load(fileId)
    if (manifest !== undefined && share.stamp === stamp) return this.#content(path, manifest, stamp, false)
    // The content may be the same under another stamp, after a move there and back or a chmod.
    if (sizeOf(stamp) !== share.sizeBytes) return changedProblem(path)
    const hashed = await this.#hashing.hash(share, stamp)
    if (isOver()) return undefined
    if (!hashed.ok) return { sentence: hashed.refusal.sentence, isAway: !(await canRead(path)) }
    if (hashed.value.fileId !== fileId) return changedProblem(path)
    return this.#content(path, hashed.value, stamp, true)
  }

  async adopt({ path }: NamedPath, manifest: Manifest): Promise<LocalContent | undefined> {
    const stamp = await stampAt(path).catch(() => undefined)
    return stamp === undefined ? undefined : this.#content(path, manifest, stamp, false)
  }

  #content(path: string, manifest: Manifest, stamp: FileStamp, isNew: boolean): LocalContent {
    const content: LocalContent = {
      manifest,
      stamp,
      isNew,
      save: async () => {
        if (!isSmall(manifest)) await this.#manifests.save(manifest)
      },
      serve: (events: ContentEvents): ServedContent =>
        new SharedFile(path, manifest, stamp, events, () => this.#former.onEnded(path, content)),
    }
    return content
  }
}
