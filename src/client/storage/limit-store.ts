// Remembers the limits for hours of the day between runs, in a file of the data folder.

import { join } from 'node:path'
import * as v from 'valibot'
import { JsonFile } from './json-file.ts'

const Minute = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(24 * 60))
const Rule = v.object({
  direction: v.picklist(['upload', 'download']),
  /** Absent for no limit. */
  bytesPerSecond: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1))),
  hours: v.object({ fromMinute: Minute, toMinute: Minute }),
})
const Remembered = v.object({ version: v.literal(1), rules: v.array(Rule) })
export type RememberedLimit = v.InferOutput<typeof Rule>

export class LimitStore {
  readonly #file: JsonFile<typeof Remembered>

  /** `onTrouble` receives a sentence when the file cannot be written; the limits then hold until the program ends. */
  constructor(folder: string, onTrouble: (sentence: string) => void) {
    this.#file = new JsonFile(join(folder, 'limits.json'), Remembered, onTrouble)
  }

  /** Throws a `data` failure when the file cannot be read. */
  load(): RememberedLimit[] {
    return this.#file.load()?.rules ?? []
  }

  save(rules: readonly RememberedLimit[]): Promise<void> {
    const kept = [...rules]
    return this.#file.save(() => ({ version: 1, rules: kept }))
  }

  /** Resolves when what was asked for until now is on disk. */
  saved(): Promise<void> {
    return this.#file.saved()
  }
}
