// Remembers the limits for hours of the day between runs, in a file of the data folder.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pLimit from 'p-limit'
import * as v from 'valibot'
import { replaceFile } from '../../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'

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
  readonly #path: string
  readonly #onTrouble: (sentence: string) => void
  readonly #turns = pLimit(1)

  /** `onTrouble` receives a sentence when the file cannot be written; the limits then hold until the program ends. */
  constructor(folder: string, onTrouble: (sentence: string) => void) {
    this.#path = join(folder, 'limits.json')
    this.#onTrouble = onTrouble
  }

  /** Throws a `data` failure when the file cannot be read. */
  load(): RememberedLimit[] {
    try {
      return v.parse(Remembered, JSON.parse(readFileSync(this.#path, 'utf8'))).rules
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return []
      throw new Failure('data', `${this.#path} cannot be read; move it away if it is damaged`, error)
    }
  }

  async save(rules: readonly unknown[]): Promise<void> {
    const text = `${JSON.stringify({ version: 1, rules }, null, 1)}\n`
    await this.#turns(async () => {
      try {
        await replaceFile(this.#path, text)
      } catch (error) {
        if (systemCode(error) === undefined) throw error
        this.#onTrouble(`${this.#path} cannot be written: ${sentenceOf(error)}`)
      }
    })
  }

  /** Resolves when what was asked for until now is on disk. */
  async saved(): Promise<void> {
    await this.#turns(() => undefined)
  }
}
