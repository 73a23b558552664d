// Kills a downloading client right before each call that changes the file system, from the last piece to the share, one
// call at a time. Each time checks what is there, and what the next run makes of it.

import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { group, makeFile, type Arena } from '../../bench/arena.ts'
import type { Program } from '../../src/demo/program.ts'
import { startKnownMember } from './known-member.ts'

export interface PublishingFigures {
  /** The calls before which the client was killed, one each time. */
  readonly calls: readonly string[]
  /** What was wrong, as sentences. */
  readonly faults: readonly string[]
}

const preloaded = fileURLToPath(new URL('inside/kill-at-call.mjs', import.meta.url))
const name = 'data.bin'
const user = 'victim'
const old = 'what was there before'

/**
 * With `overwrite` the destination exists, and must be the old file or the new one at every moment. `upTo` names the
 * last call to kill before; later ones are the same with and without `overwrite`.
 */
export async function killInPublishing(
  arena: Arena,
  overwrite: boolean,
  upTo?: string,
): Promise<PublishingFigures> {
  const path = await makeFile(arena, name, 1)
  const seeder = await arena.startMember('seeder')
  await seeder.say(`upload_file ${path} ${group}`)
  await (await startKnownMember(arena, seeder, user)).quit()
  const place = new Place(arena, readFileSync(path), overwrite)
  const all = await place.callsOf(0)
  const first = all.findLastIndex((call) => call.startsWith('write ')) + 1
  const end = upTo === undefined ? -1 : all.findLastIndex((call) => call.startsWith(`${upTo} `))
  const last = end === -1 ? all.length : end + 1
  const faults: string[] = []
  for (let call = first + 1; call <= last; call++) {
    const said = await place.killedBefore(call)
    faults.push(...said.map((fault) => `killed before call ${call}, "${all[call - 1]}": ${fault}`))
  }
  return { calls: all.slice(first, last), faults }
}

class Place {
  readonly #arena: Arena
  readonly #content: Buffer
  readonly #overwrite: boolean
  readonly #destination: string
  readonly #log: string

  constructor(arena: Arena, content: Buffer, overwrite: boolean) {
    this.#arena = arena
    this.#content = content
    this.#overwrite = overwrite
    this.#destination = join(arena.folder, 'copy.bin')
    this.#log = join(arena.folder, 'calls')
  }

  /** The calls of a whole download, until the share is remembered. */
  async callsOf(killAt: number): Promise<string[]> {
    const client = await this.#begin(killAt)
    await client.next((line) => line === `[C] [${group}] ${name}`)
    await untilListed(client)
    const calls = readFileSync(this.#log, 'utf8').split('\n').filter(Boolean)
    await client.say(`stop_share ${group} ${name}`)
    await client.quit()
    return calls
  }

  async killedBefore(call: number): Promise<string[]> {
    const faults: string[] = []
    const client = await this.#begin(call)
    await untilKilledOrDone(client)
    const there = existsSync(this.#destination) ? readFileSync(this.#destination) : undefined
    const isWhole = there?.equals(this.#content) === true
    const isAsBefore = this.#overwrite ? there?.toString() === old : there === undefined
    if (!isWhole && !isAsBefore) faults.push('the destination is neither unchanged nor the whole file')
    const again = await this.#arena.restartMember(user)
    await untilListed(again)
    if (!readFileSync(this.#destination).equals(this.#content)) faults.push('the file is not the original')
    if (existsSync(`${this.#destination}.part`)) faults.push('the part file is still there')
    if (readdirSync(join(this.#arena.folder, user, 'journals')).length > 0) faults.push('a journal is left')
    if (this.#overwrite && (statSync(this.#destination).mode & 0o777) !== 0o640)
      faults.push('the mode differs')
    await again.say(`stop_share ${group} ${name}`)
    await again.quit()
    return faults
  }

  async #begin(killAt: number): Promise<Program> {
    rmSync(this.#destination, { force: true })
    rmSync(this.#log, { force: true })
    if (this.#overwrite) {
      writeFileSync(this.#destination, old)
      chmodSync(this.#destination, 0o640)
    }
    const client = await this.#arena.restartMember(user, {
      NODE_OPTIONS: `--import=${preloaded}`,
      COTERIE_KILL_AT_CALL: String(killAt),
      COTERIE_CALL_LOG: this.#log,
    })
    const command = `download_file ${group} ${name} ${this.#destination}`
    await client.say(this.#overwrite ? `${command} --overwrite` : command)
    return client
  }
}

/** Another run may make fewer calls: whoever comes through without a kill ends by itself. */
async function untilKilledOrDone(client: Program): Promise<void> {
  try {
    await client.next((line) => line === `[C] [${group}] ${name}`)
    await untilListed(client)
  } catch {
    // Killed. What is left on the disk is looked at next.
  }
  await client.quit()
}

/** Waits until this client is the second seeder and its download is over: with only a part it is listed as well. */
async function untilListed(client: Program): Promise<void> {
  for (let look = 0; look < 600; look++) {
    const isListed = (await client.say(`list_files ${group}`)).endsWith('2 seeders')
    if (isListed && !(await client.say('show_downloads')).startsWith('[D]')) return
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('the downloaded file is not shared')
}
