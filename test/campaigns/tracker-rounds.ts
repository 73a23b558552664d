// Kills trackers that share one data folder, round after round, while clients issue commands.

import type { Moment } from '../../src/tracker/moments.ts'
import { seededRandom } from '../simulation/seeded-random.ts'
import { addFindings, noFigures, type Figures } from './figures.ts'
import { realProgram, startAll, type TrackerProcess, type TrackerProgram } from './tracker-process.ts'
import { Trackers, type Making } from './trackers.ts'
import {
  killedAt,
  snapshottingProgram,
  variantProgram,
  variants,
  type Variant,
  type VariantName,
} from './variants.ts'
import { audit } from './workload/audit.ts'
import { Workload } from './workload/workload.ts'

export interface RoundsOptions {
  readonly trackers: number
  readonly kills: number
  readonly clients: number
  readonly seed: number
  /** Makes the program to run, in a folder that is removed at the end; the real one by default. */
  readonly program?: Making
  /** At which of the named moments to kill; at all by default. */
  readonly at?: readonly Moment[] | undefined
  readonly newcomersWeight?: number | undefined
}

/** Before each kill, from none to this many commands are acknowledged. */
const commandsBetweenKillsMax = 600

/** Moments at which trackers are killed, and how often at most a moment is passed first. */
const moments: readonly (readonly [moment: Moment, passingsMax: number])[] = [
  ['before append', 50],
  ['after append', 50],
  ['before commit', 50],
  ['after commit', 50],
  ['before apply', 800],
  ['after apply', 800],
  ['before reply', 400],
  ['after reply', 400],
  ['before snapshot', 2],
  ['during snapshot', 2],
  ['after snapshot', 2],
]

/** Kills the trackers in turn at random moments, each after the one before serves again. */
export function killAtRandom(options: RoundsOptions): Promise<Figures> {
  return inRounds(options, options.program ?? (() => realProgram), async (trackers, workload, figures) => {
    await startAll(trackers.all)
    await workload.start()
    const random = seededRandom(options.seed)
    for (let kill = 0; kill < options.kills; kill++) {
      const tracker = trackers.all[kill % trackers.all.length] as TrackerProcess
      await workload.acknowledgedMore(Math.floor(random() * commandsBetweenKillsMax))
      await tracker.kill()
      trackers.program.afterKill?.(trackers.dataFolder)
      figures.kills++
      figures.restartsMs.push(await tracker.start())
    }
  })
}

/**
 * Kills at named moments, in turn. Several trackers head for different moments, so that one is killed while another is
 * anywhere, or down as well.
 */
export function killAtMoments(options: RoundsOptions): Promise<Figures> {
  const chosen = moments.filter(([moment]) => options.at?.includes(moment) ?? true)
  const program = options.program ?? snapshottingProgram
  return inRounds(options, program, async (trackers, workload, figures) => {
    await startAll(trackers.all)
    await workload.start()
    const random = seededRandom(options.seed)
    let next = 0
    const killInTurn = async (tracker: TrackerProcess): Promise<void> => {
      await tracker.kill()
      while (next < options.kills) {
        const [moment, passingsMax] = chosen[next++ % chosen.length] as (typeof moments)[number]
        const count = 1 + Math.floor(random() * passingsMax)
        const startMs = await startToDie(tracker, killedAt(trackers.program, moment, count))
        if (startMs !== undefined) figures.restartsMs.push(startMs)
        await tracker.ended()
        figures.kills++
      }
      await tracker.start()
    }
    await Promise.all(trackers.all.map(killInTurn))
  })
}

/** Kills one tracker of a variant, when and while what is wrong with it shows. */
export function killVariant(
  name: VariantName,
  options: Pick<RoundsOptions, 'kills' | 'clients' | 'seed'>,
): Promise<Figures> {
  const { at, newcomersWeight }: Variant = variants[name]
  const program: Making = (folder) => variantProgram(name, folder)
  const all = { ...options, trackers: 1, program, at, newcomersWeight }
  return at === undefined ? killAtRandom(all) : killAtMoments(all)
}

/** How long the start took; undefined when the tracker met its moment while reading the log. */
async function startToDie(tracker: TrackerProcess, program: TrackerProgram): Promise<number | undefined> {
  try {
    return await tracker.start(program)
  } catch (error) {
    if (tracker.isRunning || tracker.stderr !== '') throw error
    return undefined
  }
}

/** Sets up trackers on one data folder and a workload, plays the rounds, and collects the figures. */
async function inRounds(
  options: RoundsOptions,
  program: Making,
  rounds: (trackers: Trackers, workload: Workload, figures: Figures) => Promise<void>,
): Promise<Figures> {
  const figures = noFigures()
  const trackers = await Trackers.make(options.trackers, options.seed, program)
  const workload = new Workload({ ...options, trackers: trackers.addresses })
  try {
    await rounds(trackers, workload, figures)
    await conclude(trackers, workload, figures)
    return figures
  } finally {
    workload.close()
    await trackers.close()
  }
}

/** Audits the outcome, and checks that all trackers, and a replay of their log, agree on it. */
async function conclude(trackers: Trackers, workload: Workload, figures: Figures): Promise<void> {
  await workload.stop()
  figures.longestPauseMs = workload.longestPauseMs
  addFindings(figures, await audit(workload))
  const digests = await Promise.all(trackers.all.map((tracker) => tracker.digest()))
  const [first] = trackers.all
  await first?.quit()
  await first?.start()
  if (first !== undefined) digests.push(await first.digest())
  const different = new Set(digests.map(({ digest, position }) => `${digest} at ${position}`))
  if (different.size === 1) return
  figures.half++
  figures.complaints.push(`the trackers, or a replay, disagree: ${[...different].join(', ')}`)
}
