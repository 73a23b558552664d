// Kills NATS servers and trackers of one community, round after round, while clients issue commands.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../simulation/seeded-random.ts'
import { untilAgreed } from './agreement.ts'
import { addFindings, noFigures, type Figures } from './figures.ts'
import { NatsCluster } from './nats-cluster.ts'
import { freePort, realProgram, startAll, TrackerProcess } from './tracker-process.ts'
import { audit } from './workload/audit.ts'
import { Workload } from './workload/workload.ts'

export interface ClusterOptions {
  readonly rounds: number
  readonly clients: number
  readonly seed: number
  /** Called with a line about each round. */
  readonly onRound?: (line: string) => void
}

export interface ClusterFigures extends Figures {
  readonly victims: Record<Victim, number>
  /** From the end of a round to the same digest at all trackers, in milliseconds, one per round. */
  readonly agreedAfterMs: number[]
}

const victims = ['leader', 'follower', 'tracker'] as const
export type Victim = (typeof victims)[number]

/** Before each kill, from none to this many commands are acknowledged. */
const commandsBetweenKillsMax = 600

export async function killInCluster(options: ClusterOptions): Promise<ClusterFigures> {
  const random = seededRandom(options.seed)
  const figures: ClusterFigures = {
    ...noFigures(),
    victims: { leader: 0, follower: 0, tracker: 0 },
    agreedAfterMs: [],
  }
  const community = await Community.make(random)
  const workload = new Workload({ ...options, trackers: community.addresses })
  try {
    await community.start()
    await workload.start()
    const order = shuffledVictims(options.rounds, random)
    for (const [round, victim] of order.entries()) {
      await workload.acknowledgedMore(Math.floor(random() * commandsBetweenKillsMax))
      figures.restartsMs.push(await community.killAndRestart(victim, random, workload))
      figures.kills++
      figures.victims[victim]++
      const agreedAfterMs = await workload.whilePaused(() => untilAgreed(community.trackers))
      if (agreedAfterMs === undefined) {
        figures.half++
        figures.complaints.push(`round ${round + 1}, ${victim} killed: the trackers do not agree`)
      } else figures.agreedAfterMs.push(agreedAfterMs)
      const pauseMs = Math.round(workload.longestPauseMs)
      options.onRound?.(`round ${round + 1}: ${victim} killed; longest pause until here ${pauseMs} ms`)
    }
    await workload.stop()
    figures.longestPauseMs = workload.longestPauseMs
    addFindings(figures, await audit(workload))
    return figures
  } finally {
    workload.close()
    await community.close()
  }
}

/** Each about as often as the others, in random order. */
function shuffledVictims(count: number, random: () => number): Victim[] {
  const order = Array.from({ length: count }, (_, index) => victims[index % victims.length] as Victim)
  return order
    .map((victim) => ({ victim, key: random() }))
    .toSorted((one, other) => one.key - other.key)
    .map(({ victim }) => victim)
}

/** Three NATS servers and two trackers, each with its own data folder. */
class Community {
  readonly #folder = mkdtempSync(join(tmpdir(), 'coterie-campaign-'))
  readonly #cluster: NatsCluster
  readonly addresses: readonly { host: string; port: number }[]
  readonly trackers: readonly TrackerProcess[]

  private constructor(ports: readonly number[]) {
    this.#cluster = new NatsCluster({ folder: this.#folder, host: '127.0.0.1', ports: ports.slice(2) })
    this.addresses = ports.slice(0, 2).map((port) => ({ host: '127.0.0.1', port }))
    const list = join(this.#folder, 'tracker_info.txt')
    writeFileSync(list, this.addresses.map(({ port }) => `127.0.0.1:${port}\n`).join(''))
    this.trackers = this.addresses.map((_, index) => {
      const dataFolder = join(this.#folder, `tracker-${index}`)
      mkdirSync(dataFolder)
      const words = [list, String(index + 1), '--data-dir', dataFolder, '--log', this.#cluster.address]
      return new TrackerProcess(realProgram, words)
    })
  }

  static async make(random: () => number): Promise<Community> {
    const ports = new Set<number>()
    while (ports.size < 8) ports.add(await freePort(random))
    return new Community([...ports])
  }

  async start(): Promise<void> {
    await this.#cluster.start()
    // Both at once, on an empty cluster that is still electing.
    await startAll(this.trackers)
    await this.#cluster.whenWhole()
  }

  /** Resolves to how long it took until the victim was back and the cluster whole, in milliseconds. */
  async killAndRestart(victim: Victim, random: () => number, workload: Workload): Promise<number> {
    const one = Math.floor(random() * 2)
    const leader = await this.#cluster.whenWhole()
    if (victim === 'tracker') {
      const tracker = this.trackers[one] as TrackerProcess
      await tracker.kill()
      await workload.acknowledgedMore(1)
      return tracker.start()
    }
    const followers = this.#cluster.servers.filter((server) => server !== leader)
    const server = victim === 'leader' ? leader : (followers[one] as typeof leader)
    await server.kill()
    // Until the remaining majority serves again.
    await workload.acknowledgedMore(100)
    const startedMs = performance.now()
    await server.start()
    await this.#cluster.whenWhole()
    return performance.now() - startedMs
  }

  async close(): Promise<void> {
    await Promise.all(this.trackers.map((tracker) => tracker.kill()))
    await this.#cluster.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}
