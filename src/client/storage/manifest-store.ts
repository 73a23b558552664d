// Stores manifests by file id, so that a file is hashed once and a download knows its pieces after a restart.

import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateFolder, replaceFile } from '../../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { parseManifest, type Manifest } from '../../common/manifest.ts'

export class ManifestStore {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = join(folder, 'manifests')
    makePrivateFolder(this.#folder)
  }

  /** Undefined when there is none, or when its id shows that it is damaged. */
  load(fileId: string): Manifest | undefined {
    try {
      const manifest = parseManifest(readFileSync(this.#path(fileId)))
      return manifest?.fileId === fileId ? manifest : undefined
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      throw new Failure('data', `cannot read the hashes of a file in ${this.#path(fileId)}`, error)
    }
  }

  /** Rejects with a `file` failure. */
  async save(manifest: Manifest): Promise<void> {
    const path = this.#path(manifest.fileId)
    await replaceFile(path, manifest.bytes).catch((error: unknown) => {
      throw new Failure('file', `cannot save the hashes of a file in ${path}: ${sentenceOf(error)}`, error)
    })
  }

  async remove(fileId: string): Promise<void> {
    // A manifest left behind only costs space.
    await rm(this.#path(fileId), { force: true }).catch(() => undefined)
  }

  /** File ids are hex, which is validated where they come in. */
  #path(fileId: string): string {
    return join(this.#folder, fileId)
  }
}
