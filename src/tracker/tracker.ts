// Assembles a tracker: log, sequencer, state, presence, requests, server. Sets the order of starting and ending; does
// not know the command line, the console or the process.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Address } from '../common/addresses.ts'
import { makePrivateFolder } from '../common/data-folder.ts'
import { Failure } from '../common/failure.ts'
import { fingerprintOf, loadIdentity, makeIdentity, type Identity } from '../common/security/identity.ts'
import { flushAll } from '../common/wire/channel.ts'
import { FairTurns } from '../common/wire/fair-turns.ts'
import { Protection, type Encryption } from '../common/wire/protection.ts'
import { Attempts } from './admission/attempts.ts'
import { Audit } from './audit/audit.ts'
import type { CommandLog } from './log/command-log.ts'
import { MemoryLog } from './log/memory-log.ts'
import type { NatsAddress } from './log/nats/nats-address.ts'
import { SqliteLog } from './log/sqlite-log.ts'
import { serveMetricsOn, type MetricsService } from '../common/prometheus/metrics-service.ts'
import { RequestMetrics } from './metrics/request-metrics.ts'
import { notify } from './presence/notify.ts'
import { Presence } from './presence/presence.ts'
import { Reach } from './reach/reach.ts'
import type { Advertised } from './requests/advertised.ts'
import { trackerHandlers } from './requests/handlers.ts'
import { wordsOf } from './requests/sentences.ts'
import { newestLevel } from './state/levels.ts'
import type { RegistrationMode } from './state/registration-modes.ts'
import { digestOf } from './state/sections.ts'
import { checkCommunity, checkKindOfLog, checkRestored, logFileIn, rememberCommunity } from './community.ts'
import { FailedLogins } from './failed-logins.ts'
import { HighWaterMark } from './high-water-mark.ts'
import { LevelKeeper } from './level-keeper.ts'
import { fairness } from './limits.ts'
import { Operator } from './operator.ts'
import { Sequencer } from './sequencer.ts'
import { TrackerServer } from './server.ts'
import { spareMemory } from './spare-memory.ts'
import { metricFamilies, statusLine, type TrackerParts } from './status.ts'

export interface TrackerOptions {
  readonly address: Address
  /** Which of the community's trackers this one is, from 1. */
  readonly number: number
  /** Shared by the trackers of a community on one machine; undefined to keep nothing. */
  readonly dataFolder: string | undefined
  /** Where the log is, unless it is in the data folder. */
  readonly nats?: NatsAddress | undefined
  /** Which connections of clients are encrypted: those beyond this machine by default. */
  readonly encryption?: Encryption
  /** The fingerprint by which the list knows it, if it has one. */
  readonly pin?: string | undefined
  /** Who may register from now on, at all trackers; undefined to leave it as it is. */
  readonly registration?: RegistrationMode | undefined
  /** The port on loopback for Prometheus; undefined for none. */
  readonly metricsPort?: number | undefined
  /** Where to write who did what; undefined for nowhere. Each tracker needs a file of its own. */
  readonly auditFile?: string | undefined
  /** The addresses beside its own that a client may advertise: none by default. */
  readonly advertised?: Advertised
  /** Bytes a second to forward between clients that cannot reach each other; undefined to forward nothing. */
  readonly relay?: { readonly bytesPerSecond: number | undefined } | undefined
  /** Where clients reach this tracker, as the operator or the list names it; port 0 stands for that of `address`. */
  readonly reachedAt?: Address | undefined
  /** Which clients are looked for from outside, by their addresses: those beyond this machine, but for tests. */
  readonly isLookedFor?: (host: string) => boolean
  /** The newest level of the state that it can follow, for tests of trackers of different versions. */
  readonly level?: number
  readonly log: Logger
  /** Lines of the log that could not be written. */
  readonly droppedLogLines?: () => number
  /** Called when the tracker cannot continue; the process should end. */
  readonly onLost: (failure: Failure) => void
}

export interface Tracker {
  /** With the port that was really taken. */
  readonly address: Address
  /** Where Prometheus is answered, if anywhere. */
  readonly metricsAddress: Address | undefined
  /** By which clients know it: see `fingerprintOf`. */
  readonly fingerprint: string
  /** One line for a person. */
  status: () => string
  /** One line to compare with other trackers of the same log. */
  digest: () => string
  readonly operator: Operator
  close: () => Promise<void>
}

/** Reading fewer leaves too little memory to return. */
const entriesWorthSparing = 100_000

/** How long the same trouble is not reported again. */
const sameTroubleMs = 10_000

/** Rejects with a failure whose sentence says what is wrong. */
export async function startTracker(options: TrackerOptions): Promise<Tracker> {
  const audit = await openAudit(options)
  const { identity, commandLog } = await openStorage(options)
  const fingerprint = fingerprintOf(identity.publicKey)
  const parts = putTogether(options, identity, commandLog, audit)
  const { sequencer, levels, server, reach } = parts
  let monitoring: MetricsService | undefined
  let mark: HighWaterMark | undefined
  try {
    checkPin(options, fingerprint)
    mark = highWaterMark(options)
    await sequencer.start()
    checkCommunityOf(options, sequencer)
    mark?.check(sequencer.position)
    audit?.begin(sequencer.position)
    await enterCommunity(options, sequencer, identity)
    await levels.start()
    const operator = new Operator(sequencer)
    await setRegistration(operator, options)
    await sequencer.writeDown()
    monitoring = await monitor(parts, options)
    if (sequencer.entriesRead > entriesWorthSparing) await spareMemory()
    reach.start()
    const address = await server.listen(options.address)
    mark?.follow(() => sequencer.position)
    return {
      address,
      metricsAddress: monitoring?.address,
      fingerprint,
      close: async () => {
        await sequencer.stop()
        reach.close()
        await server.close()
        await monitoring?.close()
        await mark?.close()
        await commandLog.close()
        await audit?.close()
      },
      operator,
      status: () => statusLine(parts),
      digest: () => {
        void sequencer.sync()
        return `state ${digestOf(sequencer.state)} at log position ${sequencer.position}`
      },
    }
  } catch (error) {
    reach.close()
    await monitoring?.close()
    await mark?.close()
    await commandLog.close()
    await audit?.close()
    throw error
  }
}

/** Clients would not take it for the tracker that they look for. */
function checkPin({ pin }: TrackerOptions, fingerprint: string): void {
  if (pin === undefined || pin === fingerprint) return
  throw new Failure(
    'start',
    `the list says that this tracker has the key ${pin}, but it has ${fingerprint}; correct its line in every list`,
  )
}

/** Not served before it holds: an option that is ignored would let strangers in. */
async function setRegistration(operator: Operator, { registration }: TrackerOptions): Promise<void> {
  if (registration === undefined || registration === operator.registration) return
  const answer = await operator.setRegistration(registration)
  if (answer !== 'done')
    throw new Failure('start', `--registration ${registration}: ${answer.replace(/^error: /, '')}`)
}

function highWaterMark({ dataFolder, number }: TrackerOptions): HighWaterMark | undefined {
  return dataFolder === undefined ? undefined : new HighWaterMark(folderOfTracker(dataFolder, number))
}

/** For what belongs to this tracker alone: the log is shared, the key is not. */
function folderOfTracker(dataFolder: string, number: number): string {
  return join(dataFolder, `tracker-${number}`)
}

function putTogether(
  options: TrackerOptions,
  identity: Identity,
  commandLog: CommandLog,
  audit: Audit | undefined,
): TrackerParts {
  const { log, level = newestLevel } = options
  const presence = new Presence()
  const turns = new FairTurns({ ...fairness, onSliceDone: flushAll })
  const sequencer = new Sequencer(
    commandLog,
    {
      onApplied: (entry) => {
        for (const effect of entry.effects) notify(presence, effect, entry.position)
        levels.onApplied(entry)
        audit?.onApplied(entry)
      },
      onTook: (command, ms) => {
        if ('by' in command) turns.charge(command.by, 1000 * ms)
      },
      // Rare: this tracker stood still for a long time. What its clients missed can no longer be told; they reconnect
      // and announce again.
      onStateReplaced: () => {
        if (server.connections > 0) log.warn({ position: sequencer.position }, 'had fallen behind the log')
        server.disconnectAll('the tracker had fallen behind')
      },
      onSnapshotTaken: (position, tookMs) =>
        log.info({ position, tookMs: Math.round(tookMs) }, 'snapshot taken'),
      onTrouble: sayingOnce((sentence) => log.error(sentence)),
      onLost: options.onLost,
    },
    { level, wording: wordsOf },
  )
  const levels = new LevelKeeper(sequencer, level, log)
  const failedLogins = new FailedLogins(log, Date.now)
  const reach = new Reach({
    ...options,
    presence,
    port: () => server.port,
    onTrouble: (sentence) => log.warn(sentence),
  })
  const handlers = trackerHandlers({
    sequencer,
    presence,
    reach,
    advertised: options.advertised ?? 'observed',
    identity,
    attempts: new Attempts(),
    nowMs: Date.now,
    onLoginRefused: (host, user, why) => {
      if (why === 'login-failed') failedLogins.onFailed(host, user)
      audit?.onLoginRefused(host, user, why)
    },
  })
  const requests = new RequestMetrics()
  const server = new TrackerServer({
    handlers,
    presence,
    metrics: requests,
    log,
    turns,
    sync: (askedAtMs) => sequencer.sync(askedAtMs),
    protection: new Protection(identity.forTls, options.encryption ?? 'beyond'),
    relay: reach.relay,
  })
  return { sequencer, levels, presence, requests, server, reach }
}

/** A log that cannot be written fails for every command: passes the same sentence on at most every 10 s. */
function sayingOnce(say: (sentence: string) => void): (sentence: string) => void {
  let [last, saidAtMs] = ['', 0]
  return (sentence) => {
    if (sentence === last && performance.now() - saidAtMs < sameTroubleMs) return
    last = sentence
    saidAtMs = performance.now()
    say(sentence)
  }
}

/** Rejects with a `start` failure when the port is taken. */
async function monitor(
  parts: TrackerParts,
  { metricsPort, droppedLogLines = () => 0 }: TrackerOptions,
): Promise<MetricsService | undefined> {
  if (metricsPort === undefined) return undefined
  return serveMetricsOn(metricsPort, (loop) => metricFamilies(parts, loop, droppedLogLines()))
}

function openAudit({ auditFile: path, log }: TrackerOptions): Promise<Audit | undefined> {
  if (path === undefined) return Promise.resolve(undefined)
  const onTrouble = sayingOnce((sentence) => log.error(sentence))
  return Audit.open({ path, nowMs: Date.now, onTrouble })
}

async function openStorage(options: TrackerOptions): Promise<{ identity: Identity; commandLog: CommandLog }> {
  const { dataFolder, number, nats, log } = options
  if (dataFolder === undefined) return { identity: makeIdentity(), commandLog: new MemoryLog() }
  makePrivateFolder(dataFolder)
  checkRestored(dataFolder)
  checkKindOfLog(dataFolder, nats !== undefined)
  const identity = loadIdentity(folderOfTracker(dataFolder, number))
  if (nats === undefined) return { identity, commandLog: new SqliteLog(logFileIn(dataFolder)) }
  const say = (sentence: string): void => log.warn(sentence)
  // A third of the program, and most trackers do without.
  const { NatsLog } = await import('./log/nats/nats-log.ts')
  return { identity, commandLog: await NatsLog.open(nats, { onWaiting: say, onLink: say }) }
}

function checkCommunityOf({ dataFolder, nats }: TrackerOptions, { state }: Sequencer): void {
  if (nats !== undefined && dataFolder !== undefined) checkCommunity(dataFolder, state.community)
}

/** Registers this tracker in the log, and remembers the community. */
async function enterCommunity(
  options: TrackerOptions,
  sequencer: Sequencer,
  identity: Identity,
): Promise<void> {
  const { dataFolder, nats } = options
  await introduce(sequencer, identity, options)
  if (nats !== undefined && dataFolder !== undefined) rememberCommunity(dataFolder, sequencer.state.community)
}

/** Puts this tracker's key into the hard state, so that clients of every tracker trust its tickets. */
async function introduce(
  sequencer: Sequencer,
  identity: Identity,
  { number, level = newestLevel }: TrackerOptions,
): Promise<void> {
  const known = sequencer.state.trackers.get(identity.publicKey)
  if (known?.level === level && known.number === number) return
  const outcome = await sequencer.submit({
    kind: 'tracker_started',
    key: identity.publicKey,
    cluster: randomBytes(12).toString('base64url'),
    secret: randomBytes(32).toString('base64url'),
    level,
    number,
  })
  if (!outcome.ok)
    throw new Failure('data', 'cannot write the log; is a disk full, or are most of its servers gone?')
}
