// A small JSON file of the data folder that is read once and then replaced as a whole with each change.

import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import pLimit from 'p-limit'
import * as v from 'valibot'
import { replaceFile } from '../../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'

export class JsonFile<S extends v.GenericSchema> {
  readonly path: string
  readonly #schema: S
  readonly #onTrouble: (sentence: string) => void
  /** One change of the file at a time, in their order. */
  readonly #turns = pLimit(1)

  /** `onTrouble` receives a sentence when the file cannot be written; the change then holds until the program ends. */
  constructor(path: string, schema: S, onTrouble: (sentence: string) => void) {
    this.path = path
    this.#schema = schema
    this.#onTrouble = onTrouble
  }

  /** Undefined where there is no file. Throws a `data` failure when it cannot be read. */
  load(): v.InferOutput<S> | undefined {
    try {
      return v.parse(this.#schema, JSON.parse(readFileSync(this.path, 'utf8')))
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return undefined
      throw new Failure('data', `${this.path} cannot be read; move it away if it is damaged`, error)
    }
  }

  /** `take` is called when its turn has come. */
  save(take: () => v.InferInput<S>): Promise<void> {
    return this.#change(() => replaceFile(this.path, `${JSON.stringify(take(), null, 1)}\n`))
  }

  remove(): Promise<void> {
    return this.#change(() => rm(this.path, { force: true }))
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
        this.#onTrouble(`${this.path} cannot be written: ${sentenceOf(error)}`)
      }
    })
  }
}
