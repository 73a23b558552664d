// Remembers the links for guests of all users of this client between runs, in a file of the data folder that its owner
// alone can read. Of the secret in a link it has a hash.

import { join } from 'node:path'
import * as v from 'valibot'
import { Count, FileVersion, SizeBytes } from '../../common/protocol/fields.ts'
import { files } from '../../common/protocol/tracker-fields.ts'
import { JsonFile } from './json-file.ts'

/** Why a link ended before its time. */
const reasons = ['revoked', 'unshared'] as const
export type LinkEnd = (typeof reasons)[number]

const RememberedLink = v.object({
  number: Count,
  /** SHA-256 of the secret, in hex. */
  secretHash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  community: v.string(),
  user: v.string(),
  ...FileVersion.entries,
  sizeBytes: SizeBytes,
  ...files,
  madeAtMs: Count,
  untilMs: Count,
  /** How often it may be used; absent for any number. */
  times: v.optional(Count),
  uses: Count,
  /** The networks whose use is not over. */
  guests: v.array(v.string()),
  /** Of a file, in hex; absent until it was worked out. */
  sha256: v.optional(v.string()),
  ended: v.optional(v.object({ why: v.picklist(reasons), atMs: Count })),
})
export type RememberedLink = v.InferOutput<typeof RememberedLink>

const Remembered = v.object({ version: v.literal(1), next: Count, links: v.array(RememberedLink) })
export type RememberedLinks = v.InferOutput<typeof Remembered>

export class LinkStore {
  readonly #file: JsonFile<typeof Remembered>
  #waiting: Promise<void> | undefined

  /** `onTrouble` receives a sentence when the file cannot be written; the change then holds until the program ends. */
  constructor(folder: string, onTrouble: (sentence: string) => void) {
    this.#file = new JsonFile(join(folder, 'guest_links.json'), Remembered, onTrouble)
  }

  /** Throws a `data` failure when the file cannot be read. */
  load(): RememberedLinks {
    return this.#file.load() ?? { version: 1, next: 1, links: [] }
  }

  /** Resolves when all that `take` says by then is durable. Changes that come while one is written share the next write. */
  save(take: () => RememberedLinks): Promise<void> {
    this.#waiting ??= this.#file.save(() => {
      this.#waiting = undefined
      return take()
    })
    return this.#waiting
  }

  /** Resolves when what was asked for until now is on disk. */
  saved(): Promise<void> {
    return this.#file.saved()
  }
}
