// The login that goes on when the client starts again: a session instead of the password, in a file of the data folder
// that nobody else can read. It is worth nothing without the key of this client, which lies beside it.

import { join } from 'node:path'
import * as v from 'valibot'
import { UserName } from '../../common/names.ts'
import { JsonFile } from './json-file.ts'

const Saved = v.object({
  version: v.literal(1),
  community: v.string(),
  user: UserName,
  /** As a tracker signed it. */
  session: v.string(),
  /** See `verifierKeyOf`: it shows to this client alone that a tracker knows the user. */
  verifierKey: v.string(),
})
export type SavedLogin = Omit<v.InferOutput<typeof Saved>, 'version'>

export class RememberedLogin {
  readonly #file: JsonFile<typeof Saved>
  #isKept = false

  /** `onTrouble` receives a sentence when the file cannot be written. */
  constructor(folder: string, onTrouble: (sentence: string) => void) {
    this.#file = new JsonFile(join(folder, 'remembered_login'), Saved, onTrouble)
  }

  /** Undefined where none is remembered. Throws a `data` failure when the file cannot be read. */
  load(): SavedLogin | undefined {
    const loaded = this.#file.load()
    if (loaded === undefined) return undefined
    const { version: _, ...saved } = loaded
    this.#isKept = true
    return saved
  }

  /** Replaces what was remembered before. */
  keep(login: SavedLogin): Promise<void> {
    this.#isKept = true
    return this.#file.save(() => ({ version: 1, ...login }))
  }

  /** A newer session of the login, which is worth keeping only if the login is remembered. */
  async renew(login: SavedLogin): Promise<void> {
    if (this.#isKept) await this.keep(login)
  }

  async forget(): Promise<void> {
    if (!this.#isKept) return
    this.#isKept = false
    await this.#file.remove()
  }

  /** Resolves when what was asked for until now is on disk. */
  saved(): Promise<void> {
    return this.#file.saved()
  }
}
