// Stores manifests by file id, so that a file is hashed once and a download knows its pieces after a restart; of a folder
// its tree, too, and the recipe where somebody wanted it.

import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { makePrivateFolder, replaceFile } from '../../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { parseManifest, type Manifest } from '../../common/manifest.ts'

export class ManifestStore {
  /** Of the client. */
  readonly dataFolder: string
  readonly #folder: string

  constructor(folder: string) {
    this.dataFolder = folder
    this.#folder = join(folder, 'manifests')
    makePrivateFolder(this.#folder)
  }

  /** Undefined when there is none, or when its id shows that it is damaged. */
  load(fileId: string): Manifest | undefined {
    const bytes = read(this.#path(fileId))
    const manifest = bytes && parseManifest(bytes)
    return manifest?.fileId === fileId ? manifest : undefined
  }

  /** Rejects with a `file` failure. */
  save(manifest: Manifest): Promise<void> {
    return write(this.#path(manifest.fileId), manifest.bytes)
  }

  /** The bytes of the tree of a folder, to be compared with its manifest; undefined when there are none. */
  loadTree(fileId: string): Buffer | undefined {
    return read(this.#treePath(fileId))
  }

  /** Keeps the tree of a folder until its manifest is removed. Rejects with a `file` failure. */
  saveTree(fileId: string, bytes: Uint8Array): Promise<void> {
    return write(this.#treePath(fileId), bytes)
  }

  /** What the files of a shared folder were recognised by; undefined when there is none. */
  loadStamps(fileId: string): Buffer | undefined {
    return read(this.#stampsPath(fileId))
  }

  /** Likewise kept beside the manifest. Rejects with a `file` failure. */
  saveStamps(fileId: string, bytes: Uint8Array): Promise<void> {
    return write(this.#stampsPath(fileId), bytes)
  }

  hasRecipe(fileId: string): boolean {
    return existsSync(this.#recipePath(fileId))
  }

  /** The bytes of the recipe of this content, to be checked; undefined when there are none. */
  loadRecipe(fileId: string): Buffer | undefined {
    return read(this.#recipePath(fileId))
  }

  /** Keeps a recipe until the manifest is removed; not where that is gone. Rejects with a `file` failure. */
  async saveRecipe(fileId: string, bytes: Uint8Array): Promise<void> {
    if (existsSync(this.#path(fileId))) await write(this.#recipePath(fileId), bytes)
  }

  /** Forgets one that is wrong. */
  async removeRecipe(fileId: string): Promise<void> {
    await rm(this.#recipePath(fileId), { force: true }).catch(() => undefined)
  }

  /** Removes the manifest, and all that was kept beside it. */
  async remove(fileId: string): Promise<void> {
    // What is left behind only costs space.
    for (const path of [this.#path(fileId), this.#treePath(fileId), this.#stampsPath(fileId)])
      await rm(path, { force: true }).catch(() => undefined)
    await this.removeRecipe(fileId)
  }

  #treePath(fileId: string): string {
    return `${this.#path(fileId)}.tree`
  }

  #recipePath(fileId: string): string {
    return `${this.#path(fileId)}.recipe`
  }

  #stampsPath(fileId: string): string {
    return `${this.#path(fileId)}.stamps`
  }

  /** File ids are hex, which is validated where they come in. */
  #path(fileId: string): string {
    return join(this.#folder, fileId)
  }
}

/** Undefined when there is no such file. */
function read(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw new Failure('data', `cannot read ${path}`, error)
  }
}

async function write(path: string, bytes: Uint8Array): Promise<void> {
  await replaceFile(path, bytes).catch((error: unknown) => {
    throw new Failure('file', `cannot write ${path}: ${sentenceOf(error)}`, error)
  })
}
