// Remembers how a user's password was salted and stretched in a community, to detect a tracker that asks for
// it in another way: with fewer iterations or a salt of its own, it could guess the password sooner.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pLimit from 'p-limit'
import * as v from 'valibot'
import { makePrivateFolder, replaceFile } from '../../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { UserName } from '../../common/names.ts'

const Stretching = v.object({ salt: v.string(), iterations: v.number() })
/** The salt in base64, and the PBKDF2 iterations. */
export type Stretching = v.InferOutput<typeof Stretching>

const Remembered = v.object({ version: v.literal(1), users: v.record(UserName, Stretching) })

export class KnownLogins {
  readonly #folder: string
  readonly #onTrouble: (sentence: string) => void
  /** By community. */
  readonly #loaded = new Map<string, Map<string, Stretching>>()
  /** One save at a time, each of all that is known by then. */
  readonly #turns = pLimit(1)

  /** `onTrouble` receives a sentence when saving fails; the login is then known until the program ends. */
  constructor(folder: string, onTrouble: (sentence: string) => void) {
    this.#folder = join(folder, 'logins')
    this.#onTrouble = onTrouble
  }

  /** Throws a `data` failure when the file of this community cannot be read. */
  find(community: string, user: string): Stretching | undefined {
    return this.#of(community).get(user)
  }

  /** Of each community where this user has logged in; undefined where that cannot be read. */
  inAllCommunities(user: string): Stretching[] | undefined {
    try {
      if (!existsSync(this.#folder)) return []
      const all = readdirSync(this.#folder).map((file) => this.#load(join(this.#folder, file)).get(user))
      return all.filter((each) => each !== undefined)
    } catch {
      // Whoever logs in hears what is wrong with the file.
      return undefined
    }
  }

  /** It counts at once; resolves when it is on disk, or could not be saved. Throws as `find` does. */
  remember(community: string, user: string, { salt, iterations }: Stretching): Promise<void> {
    const users = this.#of(community)
    const known = users.get(user)
    if (known?.salt === salt && known.iterations === iterations) return this.saved()
    users.set(user, { salt, iterations })
    return this.#save(community, users)
  }

  /** Resolves when no save is under way. */
  saved(): Promise<void> {
    return this.#turns(() => undefined)
  }

  /** The account is gone: another one of this name has another salt. Throws as `find` does. */
  async forget(community: string, user: string): Promise<void> {
    const users = this.#of(community)
    if (users.delete(user)) await this.#save(community, users)
  }

  #save(community: string, users: ReadonlyMap<string, Stretching>): Promise<void> {
    return this.#turns(() => this.#write(community, users))
  }

  async #write(community: string, users: ReadonlyMap<string, Stretching>): Promise<void> {
    const path = this.pathOf(community)
    try {
      makePrivateFolder(this.#folder)
      await replaceFile(
        path,
        `${JSON.stringify({ version: 1, users: Object.fromEntries(users) }, null, 1)}\n`,
      )
    } catch (error) {
      this.#onTrouble(`a login cannot be remembered in ${path}: ${sentenceOf(error)}`)
    }
  }

  pathOf(community: string): string {
    return join(this.#folder, `${community.replace(/[^A-Za-z0-9_-]/g, '_')}.json`)
  }

  #of(community: string): Map<string, Stretching> {
    const users = this.#loaded.get(community) ?? this.#load(this.pathOf(community))
    this.#loaded.set(community, users)
    return users
  }

  #load(path: string): Map<string, Stretching> {
    try {
      return new Map(Object.entries(v.parse(Remembered, JSON.parse(readFileSync(path, 'utf8'))).users))
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return new Map()
      throw new Failure('data', `${path} cannot be read; move it away if it is damaged`, error)
    }
  }
}
