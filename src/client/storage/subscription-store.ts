// Remembers what a user wants to have from groups, whenever it comes, and what of it was fetched.

import { join } from 'node:path'
import * as v from 'valibot'
import { makePrivateFolder } from '../../common/data-folder.ts'
import { FileId, Count } from '../../common/protocol/fields.ts'
import { FileName, GroupName } from '../../common/names.ts'
import { JsonFile } from './json-file.ts'
import { communityFolder } from './user-store.ts'

const Remembered = v.object({
  version: v.literal(1),
  subscriptions: v.array(
    v.object({
      group: GroupName,
      glob: v.string(),
      folder: v.string(),
      /** Names, and the content of each that was fetched last. */
      fetched: v.array(v.tuple([FileName, FileId])),
    }),
  ),
  /** For each group, up to which position of the trackers' log its listing is known. */
  positions: v.array(v.tuple([GroupName, Count])),
})

/** A standing wish. */
export interface Subscription {
  readonly group: string
  /** Which names of the group, as in a shell. */
  readonly glob: string
  /** Where they go. */
  readonly folder: string
  /** The content of each name that was fetched last. */
  readonly fetched: Map<string, string>
}

export class SubscriptionStore {
  readonly #file: JsonFile<typeof Remembered>
  readonly all: Subscription[]
  /** For each group, up to which position of the trackers' log its listing is known. */
  readonly positions: Map<string, number>

  /** Throws a `data` failure when what is remembered cannot be read. */
  constructor(folder: string, community: string, user: string, onTrouble: (sentence: string) => void) {
    const place = join(communityFolder(folder, community), 'subscriptions')
    makePrivateFolder(place)
    this.#file = new JsonFile(join(place, `${user}.json`), Remembered, onTrouble)
    const { subscriptions = [], positions = [] } = this.#file.load() ?? {}
    this.all = subscriptions.map((one) => ({ ...one, fetched: new Map(one.fetched) }))
    this.positions = new Map(positions)
  }

  /** Call after each change of what is here; resolves when it is durable. */
  save(): Promise<void> {
    return this.#file.save(() => ({
      version: 1,
      subscriptions: this.all.map((one) => ({ ...one, fetched: [...one.fetched] })),
      positions: [...this.positions],
    }))
  }

  /** Resolves when what was changed until now is on disk. */
  saved(): Promise<void> {
    return this.#file.saved()
  }
}
