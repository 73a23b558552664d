// Rounds of killing trackers that share one data folder, under clients that go on issuing commands.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../simulation/seeded-random.ts'
import { addFindings, noFigures, type Figures } from './figures.ts'
import { freePort, realProgram, TrackerProcess, type TrackerProgram } from './tracker-process.ts'
import { audit } from './workload/audit.ts'
import { Workload } from './workload/workload.ts'

export interface RoundsOptions {
  readonly trackers: number
  readonly kills: number
  readonly clients: number
  readonly seed: number
  readonly program?: TrackerProgram
}

/** Commands that are acknowledged between a restart and the next kill: from none to so many. */
const commandsBetweenKillsMax = 600

/** Trackers on one data folder, with the ports to find them at. */
export class Trackers {
  readonly folder = mkdtempSync(join(tmpdir(), 'coterie-campaign-'))
  readonly ports: readonly number[]
  readonly all: readonly TrackerProcess[]

  private constructor(ports: readonly number[], program: TrackerProgram) {
    this.ports = ports
    mkdirSync(join(this.folder, 'data'))
    const list = join(this.folder, 'tracker_info.txt')
    writeFileSync(list, ports.map((port) => `127.0.0.1:${port}\n`).join(''))
    this.all = ports.map((_, index) => {
      const words = [list, String(index + 1), '--data-dir', join(this.folder, 'data')]
      return new TrackerProcess(program, words)
    })
  }

  static async make(count: number, seed: number, program = realProgram): Promise<Trackers> {
    const random = seededRandom(seed)
    const ports: number[] = []
    while (ports.length < count) {
      const port = await freePort(random)
      if (!ports.includes(port)) ports.push(port)
    }
    return new Trackers(ports, program)
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((tracker) => tracker.kill()))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Kills one tracker after the other at random moments, each as soon as it serves again. */
export async function killAtRandom(options: RoundsOptions): Promise<Figures> {
  const figures = noFigures()
  const trackers = await Trackers.make(options.trackers, options.seed, options.program)
  const workload = workloadFor(trackers, options)
  try {
    await Promise.all(trackers.all.map((tracker) => tracker.start()))
    await workload.start()
    const random = seededRandom(options.seed)
    for (let kill = 0; kill < options.kills; kill++) {
      const tracker = trackers.all[kill % trackers.all.length] as TrackerProcess
      await workload.acknowledgedMore(Math.floor(random() * commandsBetweenKillsMax))
      await tracker.kill()
      figures.kills++
      figures.restartsMs.push(await tracker.start())
    }
    await conclude(trackers, workload, figures)
    return figures
  } finally {
    workload.close()
    await trackers.close()
  }
}

function workloadFor({ ports }: Trackers, { clients, seed }: RoundsOptions): Workload {
  const trackers = ports.map((port) => ({ host: '127.0.0.1', port }))
  return new Workload({ trackers, clients, seed })
}

/** Reads what became of everything, and whether all trackers, and a replay of their log, agree on it. */
async function conclude(trackers: Trackers, workload: Workload, figures: Figures): Promise<void> {
  await workload.stop()
  figures.longestPauseMs = workload.longestPauseMs
  addFindings(figures, await audit(workload))
  const digests = await Promise.all(trackers.all.map((tracker) => tracker.digest()))
  await trackers.all[0]?.kill()
  await trackers.all[0]?.start()
  digests.push((await trackers.all[0]?.digest()) ?? { digest: 'none', position: 0 })
  const different = new Set(digests.map(({ digest, position }) => `${digest} at ${position}`))
  if (different.size === 1) return
  figures.half++
  figures.complaints.push(`the trackers, or a replay, disagree: ${[...different].join(', ')}`)
}
