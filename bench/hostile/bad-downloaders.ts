// Measures what an attack on a sharing client costs an honest member who downloads from it: the time, as a multiple
// of undisturbed runs before and after, and the memory of the sharing client. Bounds: twice the time, and 150 MiB.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { TrackerConnection } from '../../src/client/tracker-link/tracker-connection.ts'
import { pieceBytes } from '../../src/common/limits.ts'
import { loadIdentity } from '../../src/common/security/identity.ts'
import type { Program } from '../../src/demo/program.ts'
import { group, makeFile, peakMiB, percentile, type Arena } from '../arena.ts'
import { logIn, must } from '../crowd.ts'
import type { Attack } from './attack-plan.ts'

const boundTime = 2
const boundMiB = 150
/** The upload limit: low enough that the processor, which the attack shares, does not bound the download. */
const limit = '25M'
/** How long an attack runs before the download begins: until it has used up the turns that newcomers are given. */
const leadMs = 4000
const giveUpMs = 120_000
const runsEach = 3

class Stage {
  readonly #arena: Arena
  readonly #sharer: Program
  readonly #client: Program
  readonly #attacker: TrackerConnection
  readonly #folder: string

  constructor(arena: Arena, sharer: Program, client: Program, attacker: TrackerConnection, folder: string) {
    this.#arena = arena
    this.#sharer = sharer
    this.#client = client
    this.#attacker = attacker
    this.#folder = folder
  }

  /** How long the download took, in milliseconds; Infinity when it was given up. */
  async download(sizeMiB: number): Promise<number> {
    const [name, copy] = [nameOf(sizeMiB), join(this.#arena.folder, 'copy')]
    const startedAtMs = performance.now()
    await this.#client.say(`download_file ${group} ${name} ${copy}`)
    const cancel = (): void => void this.#client.process.stdin?.write(`cancel_download ${group} ${name}\n`)
    const late = globalThis.setTimeout(cancel, giveUpMs)
    const line = await this.#client.next(
      (text) => text === `[C] [${group}] ${name}` || text.startsWith('cancelled'),
    )
    clearTimeout(late)
    const ms = performance.now() - startedAtMs
    if (line.startsWith('cancelled')) return Infinity
    await this.#client.say(`stop_share ${group} ${name}`)
    rmSync(copy)
    return ms
  }

  /** Downloads during an attack. Also returns the peak memory of the sharing client meanwhile, in MiB. */
  async downloadBeside(
    kind: string,
    connections: number,
    sizeMiB: number,
  ): Promise<{ ms: number; mebibytes: number }> {
    // Resets the peak of resident memory.
    writeFileSync(`/proc/${this.#sharer.process.pid}/clear_refs`, '5')
    const attack = await this.#start(kind, connections, sizeMiB)
    await setTimeout(leadMs)
    const ms = await this.download(sizeMiB)
    const mebibytes = peakMiB(this.#sharer)
    if (attack.exitCode !== null) throw new Error('the attack has ended')
    attack.kill()
    await once(attack, 'exit')
    return { ms, mebibytes }
  }

  async #start(kind: string, connections: number, sizeMiB: number): Promise<ChildProcess> {
    const found = must(await this.#attacker.request('find_file', { group, name: nameOf(sizeMiB) }))
    const sharer = found.peers.find(({ user }) => user === 'sharer')
    if (sharer === undefined) throw new Error('the tracker does not know the sharing client')
    const plan: Attack = {
      kind,
      connections,
      port: sharer.port,
      fileId: found.fileId,
      pieceCount: (sizeMiB * 2 ** 20) / pieceBytes,
      folder: this.#folder,
      ticket: found.ticket,
    }
    return startAttack(plan)
  }
}

/** Starts an attack as a process of its own; resolves when all its connections have been opened once. */
export async function startAttack(plan: Attack): Promise<ChildProcess> {
  const script = fileURLToPath(new URL('attack.ts', import.meta.url))
  // Real attackers have machines of their own, so here they get only the CPU time that the others leave.
  const words = ['-n', '19', process.execPath, '--import', 'tsx', script, JSON.stringify(plan)]
  const attack = spawn('nice', words, { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(createInterface({ input: attack.stdout }), 'line')
  return attack
}

function nameOf(sizeMiB: number): string {
  return `${sizeMiB}.bin`
}

function median(values: readonly number[]): number {
  return percentile(
    values.toSorted((a, b) => a - b),
    0.5,
  )
}

/** Prints a line for each kind, number and size; sets the exit code to 1 when a bound is missed. */
export async function measureBadDownloaders(
  arena: Arena,
  kinds: readonly string[],
  counts: readonly number[],
  sizesMiB: readonly number[],
): Promise<void> {
  const sharer = await arena.startMember('sharer', ['--upload-limit', limit])
  const client = await arena.startMember('client')
  await (await arena.startMember('attacker')).quit()
  for (const sizeMiB of sizesMiB)
    await sharer.say(`upload_file ${await makeFile(arena, nameOf(sizeMiB), sizeMiB)} ${group}`)
  const folder = join(arena.folder, 'attack')
  const attacker = await logIn(arena, 'attacker', loadIdentity(folder), 1)
  const stage = new Stage(arena, sharer, client, attacker, folder)
  for (const kind of kinds) {
    for (const sizeMiB of sizesMiB) {
      const alone = [await stage.download(sizeMiB)]
      for (const count of counts) {
        const [times, peaks]: [number[], number[]] = [[], []]
        for (let run = 0; run < runsEach; run++) {
          const { ms, mebibytes } = await stage.downloadBeside(kind, count, sizeMiB)
          times.push(ms)
          peaks.push(mebibytes)
          alone.push(await stage.download(sizeMiB))
        }
        const [ms, aloneMs, mebibytes] = [median(times), median(alone), Math.max(...peaks)]
        const isWithin = ms <= boundTime * aloneMs && mebibytes <= boundMiB
        if (!isWithin) process.exitCode = 1
        console.log(
          `${kind.padEnd(22)} ${String(count).padStart(3)} connections, ${String(sizeMiB).padStart(3)} MiB: ` +
            `${(ms / aloneMs).toFixed(2)} x the ${(aloneMs / 1000).toFixed(2)} s undisturbed, ` +
            `${mebibytes.toFixed(0)} MiB (${isWithin ? 'within' : 'MISSED'})`,
        )
      }
    }
  }
}
