// Records of several kinds, in memory and in a journaled file. Those of a kind are found by a key that their names make,
// and keep their order.

import { setImmediate } from 'node:timers/promises'
import * as v from 'valibot'
import { keyOf, type Fetched } from '../file-key.ts'
import { JournaledFile } from './journaled-file.ts'

/** What finds a record: its names, or a record that is only a name. */
const Which = v.union([
  v.string(),
  v.object({ group: v.string(), name: v.string(), within: v.optional(v.string()) }),
])
type Which = string | Fetched

const Change = v.union([
  v.object({ put: v.string(), record: v.unknown() }),
  v.object({ drop: v.string(), which: Which }),
])

/** Validates the records of each kind. */
export type Schemas = Readonly<Record<string, v.GenericSchema<Which, Which>>>
type RecordOf<S extends Schemas, K extends keyof S> = v.InferOutput<S[K]>
type Maps<S extends Schemas> = { readonly [K in keyof S]: Map<string, RecordOf<S, K>> }

/** Records to validate per turn of the event loop, which takes about 3 ms. */
const recordsPerTurn = 250

const version = 1

export class JournaledRecords<S extends Schemas> {
  readonly #schemas: S
  readonly #maps: Maps<S>
  readonly #file: JournaledFile
  readonly #onTrouble: (error: unknown) => void
  /** Changes that no save has begun to write. */
  #unsaved: object[] = []
  #lastSave: Promise<void> = Promise.resolve()
  /** The next save, which covers all changes until it begins. */
  #nextSave: Promise<void> | undefined

  /** `path` ends in `.json`. `onTrouble` receives why a save failed; the next one then saves all. */
  constructor(path: string, schemas: S, onTrouble: (error: unknown) => void) {
    this.#file = new JournaledFile(path)
    this.#onTrouble = onTrouble
    this.#schemas = schemas
    this.#maps = Object.fromEntries(Object.keys(schemas).map((kind) => [kind, new Map()])) as Maps<S>
  }

  /** Those of a kind, by key. */
  of<K extends keyof S>(kind: K): ReadonlyMap<string, RecordOf<S, K>> {
    return this.#maps[kind]
  }

  /** Returns the record that this one replaced, if any. To be saved. */
  put<K extends keyof S & string>(kind: K, record: RecordOf<S, K>): RecordOf<S, K> | undefined {
    this.#unsaved.push({ put: kind, record })
    return this.#put(kind, record)
  }

  /** Returns the record that there was, if any. To be saved. */
  drop<K extends keyof S & string>(kind: K, which: Which): RecordOf<S, K> | undefined {
    const former = this.#drop(kind, which)
    if (former !== undefined) this.#unsaved.push({ drop: kind, which })
    return former
  }

  /** Resolves when all changes so far are durable, or could not be saved. */
  save(): Promise<void> {
    if (this.#nextSave === undefined) {
      this.#nextSave = this.#lastSave.then(() => this.#orTrouble(() => this.#write()))
      this.#lastSave = this.#nextSave
    }
    return this.#nextSave
  }

  /** Resolves when no save is under way. */
  async saved(): Promise<void> {
    await this.#nextSave
    await this.#lastSave
  }

  /** Leaves one file that has all. */
  async close(): Promise<void> {
    await this.saved()
    await this.#orTrouble(() => this.#file.close(() => this.#whole()))
  }

  /** Reads what was saved. Rejects with what the system says, and with another error for a damaged file. */
  async load(): Promise<void> {
    const loaded = await this.#file.load()
    if (loaded === undefined) return
    const whole = v.parse(v.looseObject({ version: v.literal(version) }), loaded.whole)
    for (const kind of Object.keys(this.#schemas)) {
      // Some kinds are absent in files of earlier versions.
      const records = v.parse(v.optional(v.array(v.unknown()), []), whole[kind])
      await inTurns(records, (record) => this.#put(kind, this.#parse(kind, record)))
    }
    await inTurns(loaded.changes, (one) => {
      const change = v.parse(Change, one)
      if ('put' in change) this.#put(change.put, this.#parse(change.put, change.record))
      else this.#drop(change.drop, change.which)
    })
  }

  #put<K extends keyof S>(kind: K, record: RecordOf<S, K>): RecordOf<S, K> | undefined {
    const former = this.#maps[kind].get(keyIn(record))
    this.#maps[kind].set(keyIn(record), record)
    return former
  }

  #drop<K extends keyof S>(kind: K, which: Which): RecordOf<S, K> | undefined {
    const former = this.#maps[kind].get(keyIn(which))
    this.#maps[kind].delete(keyIn(which))
    return former
  }

  #parse<K extends keyof S>(kind: K, record: unknown): RecordOf<S, K> {
    const schema = this.#schemas[kind]
    if (schema === undefined) throw new TypeError(`there are no ${String(kind)}`)
    return v.parse(schema, record)
  }

  async #write(): Promise<void> {
    this.#nextSave = undefined
    const changes = this.#unsaved
    this.#unsaved = []
    await this.#file.save(changes, () => this.#whole())
  }

  async #orTrouble(work: () => Promise<void>): Promise<void> {
    await work().catch((error: unknown) => this.#onTrouble(error))
  }

  #whole(): object {
    const kinds = Object.keys(this.#schemas)
    return {
      version,
      ...Object.fromEntries(kinds.map((kind) => [kind, [...this.of(kind).values()]] as const)),
    }
  }
}

function keyIn(which: Which): string {
  return typeof which === 'string' ? which : keyOf(which)
}

async function inTurns<T>(all: readonly T[], each: (one: T) => void): Promise<void> {
  for (const [index, one] of all.entries()) {
    if (index > 0 && index % recordsPerTurn === 0) await setImmediate()
    each(one)
  }
}
