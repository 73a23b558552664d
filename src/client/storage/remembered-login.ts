// The login that goes on when the client starts again: a session instead of the password, in a file of the data folder
// that nobody else can read. It is worth nothing without the key of this client, which lies beside it.

import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import * as v from 'valibot'
import { replaceFile } from '../../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { UserName } from '../../common/names.ts'

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
  readonly #path: string
  readonly #onTrouble: (sentence: string) => void
  /** One change of the file at a time, in their order. */
  readonly #turns = pLimit(1)
  #isKept = false

  /** `onTrouble` receives a sentence when the file cannot be written. */
  constructor(folder: string, onTrouble: (sentence: string) => void) {
    this.#path = join(folder, 'remembered_login')
    this.#onTrouble = onTrouble
  }

  /** Undefined where none is remembered. Throws a `data` failure when the file cannot be read. */
  load(): SavedLogin | undefined {
    try {
      const { version: _, ...saved } = v.parse(Saved, JSON.parse(readFileSync(this.#path, 'utf8')))
      this.#isKept = true
      return saved
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      throw new Failure('data', `${this.#path} cannot be read; move it away if it is damaged`, error)
    }
  }

  /** Replaces what was remembered before. */
  async keep(login: SavedLogin): Promise<void> {
    this.#isKept = true
    await this.#change(() => replaceFile(this.#path, `${JSON.stringify({ version: 1, ...login })}\n`))
  }

  /** A newer session of the login, which is worth keeping only if the login is remembered. */
  async renew(login: SavedLogin): Promise<void> {
    if (this.#isKept) await this.keep(login)
  }

  async forget(): Promise<void> {
    if (!this.#isKept) return
    this.#isKept = false
    await this.#change(() => rm(this.#path, { force: true }))
  }

  /** Resolves when what was asked for until now is on disk. */
  async saved(): Promise<void> {
    await this.#turns(() => undefined)
  }

  #change(change: () => Promise<void>): Promise<void> {
    return this.#turns(async () => {
      try {
        await change()
      } catch (error) {
        if (systemCode(error) === undefined) throw error
        this.#onTrouble(`${this.#path} cannot be written: ${sentenceOf(error)}`)
      }
    })
  }
}
