// Trackers that share one data folder, all in a temporary folder.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from '../../src/common/addresses.ts'
import { seededRandom } from '../simulation/seeded-random.ts'
import { freePort, realProgram, TrackerProcess, type TrackerProgram } from './tracker-process.ts'

export class Trackers {
  readonly folder = mkdtempSync(join(tmpdir(), 'coterie-campaign-'))
  readonly dataFolder = join(this.folder, 'data')
  readonly program: TrackerProgram
  readonly addresses: readonly Address[]
  readonly all: readonly TrackerProcess[]

  private constructor(addresses: readonly Address[], program: (folder: string) => TrackerProgram) {
    this.program = program(this.folder)
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
  static async make(
    count: number,
    seed: number,
    program: (folder: string) => TrackerProgram = () => realProgram,
  ): Promise<Trackers> {
    const random = seededRandom(seed)
    const ports = new Set<number>()
    while (ports.size < count) ports.add(await freePort(random))
    return new Trackers(
      [...ports].map((port) => ({ host: '127.0.0.1', port })),
      program,
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((tracker) => tracker.kill()))
    rmSync(this.folder, { recursive: true, force: true })
  }
}
