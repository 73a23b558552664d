// Cuts one tracker off from NATS and heals it, round after round, while clients issue commands.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from '../../src/common/addresses.ts'
import { seededRandom } from '../simulation/seeded-random.ts'
import { untilAgreed } from './agreement.ts'
import { addFindings, noFigures, type Figures } from './figures.ts'
import { NatsCluster } from './nats-cluster.ts'
import type { PartitionNetwork } from './partition-network.ts'
import { freePort, realProgram, startAll, TrackerProcess } from './tracker-process.ts'
import { audit } from './workload/audit.ts'
import { commandId, Speaker } from './workload/speaker.ts'
import { Workload } from './workload/workload.ts'

export interface PartitionOptions {
  readonly network: PartitionNetwork
  readonly rounds: number
  readonly clients: number
  readonly seed: number
  readonly onRound?: (line: string) => void
}

/** Times in milliseconds. */
export interface PartitionFigures extends Figures {
  /** The longest that the tracker took to answer a read while cut off. */
  slowestReadMs: number
  /** … and to refuse a write. */
  slowestRefusalMs: number
  /** The sentences of its refusals. */
  readonly refusals: Set<string>
  /** From healing to the same digest at both trackers, one per round. */
  readonly caughtUpAfterMs: number[]
}

/** At most this many commands are acknowledged before each cut, and again during it. */
const commandsMeanwhileMax = 600
/** Reads that a cut-off tracker is asked for, per round. */
const readsPerRound = 20

export async function cutAndHeal(options: PartitionOptions): Promise<PartitionFigures> {
  const { network, rounds, seed } = options
  const random = seededRandom(seed)
  const figures: PartitionFigures = {
    ...noFigures(),
    slowestReadMs: 0,
    slowestRefusalMs: 0,
    refusals: new Set(),
    caughtUpAfterMs: [],
  }
  const community = await makeCommunity(network, random)
  const workload = new Workload({ ...options, trackers: community.addresses })
  const witness = new Speaker([community.far], 0, 'user-0')
  try {
    await community.cluster.start()
    await startAll(community.trackers)
    await workload.start()
    for (let round = 0; round < rounds; round++) {
      await workload.acknowledgedMore(Math.floor(random() * commandsMeanwhileMax))
      // Logs in before the cut, like a user who happens to use this tracker.
      await witness.ask('list_groups', {})
      network.cut()
      await askWhileCut(witness, figures)
      await workload.acknowledgedMore(Math.floor(random() * commandsMeanwhileMax))
      network.heal()
      const caughtUpAfterMs = await workload.whilePaused(() => untilAgreed(community.trackers))
      if (caughtUpAfterMs === undefined) {
        figures.half++
        figures.complaints.push(`round ${round + 1}: the trackers do not agree after healing`)
      } else figures.caughtUpAfterMs.push(caughtUpAfterMs)
      options.onRound?.(`round ${round + 1}: cut and healed`)
    }
    await workload.stop()
    figures.longestPauseMs = workload.longestPauseMs
    addFindings(figures, await audit(workload))
    return figures
  } finally {
    witness.close()
    workload.close()
    await Promise.all(community.trackers.map((tracker) => tracker.kill()))
    await community.cluster.close()
    rmSync(community.folder, { recursive: true, force: true })
  }
}

/** Reads must be answered and a write refused with a sentence; anything else counts as half applied. */
async function askWhileCut(witness: Speaker, figures: PartitionFigures): Promise<void> {
  for (let read = 0; read < readsPerRound; read++) {
    const startedMs = performance.now()
    const answer = await witness.hear('list_groups', {})
    figures.slowestReadMs = Math.max(figures.slowestReadMs, performance.now() - startedMs)
    if (!answer.ok) complain(figures, `a read was refused: ${answer.refusal.sentence}`)
  }
  const startedMs = performance.now()
  const answer = await witness.hear(
    'create_group',
    { id: commandId(), group: `cut-${commandId()}` },
    refusedWithinMs,
  )
  figures.slowestRefusalMs = Math.max(figures.slowestRefusalMs, performance.now() - startedMs)
  if (answer.ok) complain(figures, 'a write was acknowledged by a tracker that is cut off')
  else figures.refusals.add(answer.refusal.sentence)
}

/** As long as a client program waits for an answer. */
const refusedWithinMs = 10_000

function complain(figures: PartitionFigures, complaint: string): void {
  figures.half++
  figures.complaints.push(complaint)
}

interface PartitionCommunity {
  readonly folder: string
  readonly cluster: NatsCluster
  readonly trackers: readonly TrackerProcess[]
  readonly addresses: readonly Address[]
  /** The one that is cut off. */
  readonly far: Address
}

async function makeCommunity(network: PartitionNetwork, random: () => number): Promise<PartitionCommunity> {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-campaign-'))
  const ports = new Set<number>()
  while (ports.size < 8) ports.add(await freePort(random))
  const [nearPort = 0, farPort = 0, ...natsPorts] = ports
  const near = { host: '127.0.0.1', port: nearPort }
  const far = { host: network.farHost, port: farPort }
  const place = { folder, host: network.natsHost, ports: natsPorts, within: network.atNats }
  const cluster = new NatsCluster(place)
  const list = join(folder, 'tracker_info.txt')
  writeFileSync(list, [near, far].map(({ host, port }) => `${host}:${port}\n`).join(''))
  const trackers = [[], network.atFar].map((within, index) => {
    const dataFolder = join(folder, `tracker-${index}`)
    mkdirSync(dataFolder)
    const words = [list, String(index + 1), '--data-dir', dataFolder, '--log', cluster.address]
    return new TrackerProcess({ ...realProgram, within }, [...words, '--insecure-plain'])
  })
  return { folder, cluster, trackers, addresses: [near, far], far }
}
