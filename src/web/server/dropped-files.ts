// Takes a file that was dropped into the page: copies it into a folder that the user named, and shares it from there. It
// gets its name when all of it has come, and takes the place of nothing.

import { randomBytes } from 'node:crypto'
import { link, open, rm, stat } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { isAbsolute, join } from 'node:path'
import { refusalOf } from '../../client/answers.ts'
import { operate } from '../../client/control/operate.ts'
import type { Operations } from '../../client/operations.ts'
import { systemCode } from '../../common/failure.ts'
import { expandHome } from '../../common/home-folder.ts'
import { fileNameProblem } from '../../common/names.ts'
import { refuse, type Answer } from '../../common/refusal.ts'
import { pageLimits } from './limits.ts'

export interface Drop {
  readonly group: string
  /** Of the file. */
  readonly name: string
  /** Where the copy goes, as a whole path; `~` stands for the home folder. */
  readonly folder: string
}

export class DroppedFiles {
  readonly #operations: Operations
  readonly #silenceMs: number
  #count = 0

  constructor(operations: Operations, silenceMs: number = pageLimits.dropSilenceMs) {
    this.#operations = operations
    this.#silenceMs = silenceMs
  }

  /** `incoming`: has the bytes of the file. Resolves to what is shared, as `uploadFile` does. */
  async take(
    { group, name: typed, folder: named }: Drop,
    incoming: IncomingMessage,
  ): Promise<Answer<unknown>> {
    const [name, folder] = [typed.normalize('NFC'), expandHome(named)]
    const problem = fileNameProblem(name)
    if (problem !== undefined) return refuse('bad-name', problem)
    if (!isAbsolute(folder))
      return refuse('usage', `"${folder}" is not a whole path of a folder; write it from / or from ~`)
    if (this.#count >= pageLimits.drops)
      return refuse('busy', 'many files are being dropped; wait for some of them')
    this.#count++
    try {
      const path = join(folder, name)
      const copied = await copyTo(folder, path, incoming, this.#silenceMs)
      if (!copied.ok) return copied
      const shared = await operate(this.#operations, 'uploadFile', [path, group])
      return shared.ok ? { ok: true, value: shared.value.value } : shared
    } finally {
      this.#count--
    }
  }
}

async function copyTo(
  folder: string,
  path: string,
  incoming: IncomingMessage,
  silenceMs: number,
): Promise<Answer<void>> {
  // Not to be seen under its name before it is whole, nor guessed by somebody who may write there.
  const part = join(folder, `.${randomBytes(8).toString('hex')}.part`)
  try {
    if (await isThere(path)) return alreadyThere(path)
    const file = await open(part, 'wx')
    try {
      incoming.setTimeout(silenceMs, () => incoming.destroy())
      // Where the disk fails, the connection is needed for the answer.
      const bytes = incoming.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>
      for await (const chunk of bytes) await file.writeFile(chunk)
      await file.sync()
    } finally {
      // Hashing may take longer, and nothing comes meanwhile.
      incoming.setTimeout(0)
      await file.close()
    }
    await link(part, path)
    return { ok: true, value: undefined }
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') return alreadyThere(path)
    if (code === 'ENOENT' || code === 'ENOTDIR') return refuse('local-file', `there is no folder ${folder}`)
    if (code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'ECONNRESET')
      return refuse('cancelled', 'the file did not come to its end')
    const refusal = refusalOf(error)
    if (refusal === undefined) throw error
    return refusal
  } finally {
    await rm(part, { force: true }).catch(() => undefined)
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false
    throw error
  }
}

function alreadyThere(path: string): Answer<never> {
  return refuse('local-file', `${path} exists already; rename the file, or share that one`)
}
