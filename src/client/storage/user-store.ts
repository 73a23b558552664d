// What a client remembers of a user in a community from one run to the next: what is shared, and which
// downloads are unfinished. One small JSON file, replaced whole, so that a crash leaves the old or the new.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { makePrivateFolder, replaceFile } from '../../common/data-folder.ts'
import { Failure, systemCode } from '../../common/failure.ts'
import { FileVersion, SizeBytes } from '../../common/protocol/fields.ts'

const RememberedShare = v.object({
  ...FileVersion.entries,
  sizeBytes: SizeBytes,
  path: v.string(),
  /** The stamp under which the content was hashed; absent: hash it again before sharing it. */
  stamp: v.optional(v.string()),
})
export type RememberedShare = v.InferOutput<typeof RememberedShare>

const RememberedDownload = v.object({
  ...FileVersion.entries,
  sizeBytes: SizeBytes,
  destination: v.string(),
  overwrite: v.boolean(),
  paused: v.boolean(),
  /** Neither serve what is there nor share it when complete. */
  unshared: v.boolean(),
})
export type RememberedDownload = v.InferOutput<typeof RememberedDownload>

const Remembered = v.object({
  version: v.literal(1),
  shares: v.array(RememberedShare),
  downloads: v.array(RememberedDownload),
})

export class UserStore {
  readonly #path: string
  readonly #shares = new Map<string, RememberedShare>()
  readonly #downloads = new Map<string, RememberedDownload>()

  private constructor(path: string) {
    this.#path = path
  }

  /** Throws a `data` failure for a damaged file: what a person shares is not forgotten quietly. */
  static open(folder: string, cluster: string, user: string): UserStore {
    const place = join(folder, 'users', cluster.replace(/[^A-Za-z0-9_-]/g, '_'))
    makePrivateFolder(place)
    const store = new UserStore(join(place, `${user}.json`))
    store.#load()
    return store
  }

  shares(): RememberedShare[] {
    return [...this.#shares.values()]
  }

  downloads(): RememberedDownload[] {
    return [...this.#downloads.values()]
  }

  rememberShare(share: RememberedShare): void {
    this.#shares.set(keyOf(share), share)
    this.#save()
  }

  forgetShare(file: { group: string; name: string }): void {
    if (this.#shares.delete(keyOf(file))) this.#save()
  }

  rememberDownload(download: RememberedDownload): void {
    this.#downloads.set(keyOf(download), download)
    this.#save()
  }

  forgetDownload(file: { group: string; name: string }): void {
    if (this.#downloads.delete(keyOf(file))) this.#save()
  }

  /** A finished download becomes a share in one step: no crash can lose it in between. */
  downloadBecomesShare(share: RememberedShare): void {
    this.#downloads.delete(keyOf(share))
    this.rememberShare(share)
  }

  #load(): void {
    let text: string
    try {
      text = readFileSync(this.#path, 'utf8')
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return
      throw new Failure('data', `cannot read ${this.#path}`, error)
    }
    try {
      const remembered = v.parse(Remembered, JSON.parse(text))
      for (const share of remembered.shares) this.#shares.set(keyOf(share), share)
      for (const download of remembered.downloads) this.#downloads.set(keyOf(download), download)
    } catch (error) {
      throw new Failure(
        'data',
        `${this.#path} is damaged; move it away to begin without remembered shares`,
        error,
      )
    }
  }

  #save(): void {
    replaceFile(
      this.#path,
      `${JSON.stringify({ version: 1, shares: this.shares(), downloads: this.downloads() }, null, 1)}\n`,
    )
  }
}

/** File names have no slashes. */
function keyOf(file: { group: string; name: string }): string {
  return `${file.group}/${file.name}`
}
