// Trackers that share one data folder, all in a temporary folder.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from '../../src/common/addresses.ts'
import { seededRandom } from '../simulation/seeded-random.ts'
import { freePort, realProgram, TrackerProcess, type TrackerProgram } from './tracker-process.ts'

/** Makes the program to run, in a folder that is removed at the end. */
export type Making = (folder: string) => TrackerProgram | Promise<TrackerProgram>

export class Trackers {
  readonly folder: string
  readonly dataFolder: string
  readonly program: TrackerProgram
  readonly addresses: readonly Address[]
  readonly all: readonly TrackerProcess[]

  private constructor(folder: string, addresses: readonly Address[], program: TrackerProgram) {
    this.folder = folder
    this.dataFolder = join(folder, 'data')
    this.program = program
    this.addresses = addresses
    mkdirSync(this.dataFolder)
    const list = join(this.folder, 'tracker_info.txt')
    writeFileSync(list, addresses.map(({ host, port }) => `${host}:${port}\n`).join(''))
    this.all = addresses.map((_, index) => {
      const words = [list, String(index + 1), '--data-dir', this.dataFolder]
      return new TrackerProcess(this.program, words)
    })
  }

  /** None of them runs yet. The seed decides which ports are tried. */
  static async make(count: number, seed: number, program: Making = () => realProgram): Promise<Trackers> {
    const random = seededRandom(seed)
    const ports = new Set<number>()
    while (ports.size < count) ports.add(await freePort(random))
    const addresses = [...ports].map((port) => ({ host: '127.0.0.1', port }))
    const folder = mkdtempSync(join(tmpdir(), 'coterie-campaign-'))
    return new Trackers(folder, addresses, await program(folder))
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((tracker) => tracker.kill()))
    rmSync(this.folder, { recursive: true, force: true })
  }
}
