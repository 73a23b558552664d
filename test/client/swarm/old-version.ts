// A folder at the destination that its next version is to replace, and a seeder who waits.

import { hash } from 'node:crypto'
import { chmodSync, lstatSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { idOf } from '../../../src/client/downloading/part-file.ts'
import type { RememberedDownload } from '../../../src/client/storage/user-store.ts'
import type { PieceReply } from './fake-seeder.ts'
import { mtimeSeconds, type Contents } from './folder-sample.ts'

/** Makes a file of a folder as the tree of the sample says. */
export function makeFile(path: string, bytes: Buffer): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, bytes)
  utimesSync(path, mtimeSeconds, mtimeSeconds)
  if (path.endsWith('.sh')) chmodSync(path, 0o755)
}

export function makeFiles(folder: string, contents: Contents): void {
  for (const [path, bytes] of Object.entries(contents))
    if (bytes !== undefined) makeFile(join(folder, path), bytes)
}

/** What is remembered of a download that replaces the folder at its destination. */
export function replacing(destination: string, tree: Uint8Array): Partial<RememberedDownload> {
  const replaces = { id: idOf(lstatSync(destination)), tree: hash('sha256', tree) }
  return { overwrite: true, from: destination, replaces }
}

/** Sends nothing before it is told to. */
export class Held {
  readonly #waiting: (() => void)[] = []
  #isOpen = false

  readonly piece = ({ right, send }: PieceReply): void => {
    if (this.#isOpen) send(right)
    else this.#waiting.push(() => send(right))
  }

  get isAsked(): boolean {
    return this.#waiting.length > 0
  }

  release(): void {
    this.#isOpen = true
    for (const send of this.#waiting.splice(0)) send()
  }
}
