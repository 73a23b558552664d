// The phases of `npm run load`, each with what it prints and judges.

import { join } from 'node:path'
import { inMs, mebibytes, percent, say, thousands, verdict } from '../tracker/report.ts'
import { ServerProcess, Usage } from '../tracker/server-process.ts'
import { commandsOfCommunity, communities, stayingInCommunity } from '../tracker/states.ts'
import { benchCredentials } from '../tracker/tracker-user.ts'
import { folder } from '../tracker/workplace.ts'
import { writeLog } from '../tracker/write-log.ts'
import type { Crew, CrewReport } from './crew.ts'
import { growthAnHour, meanOf, Samples, type Sample } from './samples.ts'

const residentBytesMax = 800 * 2 ** 20
const queryP99MsMax = 1_000
const backMsMax = 30_000
const flatFactorMax = 1.1

/** Each client asks about every five seconds: 2,000 queries a second of 10,000 clients. */
const askEveryMs = 5_000
const warmUpMs = 10_000
/** First logins in progress at once. */
const comingAtOnce = 64
const sampleEveryMs = 3_000
/** How often a soak says how it stands, in samples. */
const samplesPerLine = 20
/** Descriptors that may be open besides those at the beginning of a soak: of connections that just end. */
const churnDescriptors = 100

const dataFolder = join(folder, 'load')
const words = ['--tls', '--metrics', '0', '--data-dir', dataFolder]

/** Writes the community and starts the tracker on it. */
export async function startTracker(clients: number): Promise<ServerProcess> {
  const groups = Math.ceil(clients / stayingInCommunity)
  await writeLog(dataFolder, communities(groups * commandsOfCommunity, await benchCredentials()))
  const tracker = await ServerProcess.tracker(words)
  say(
    `tracker with ${thousands(groups)} groups: resident, start in s`,
    mebibytes(tracker.residentBytes),
    inS(tracker.startMs),
  )
  return tracker
}

export async function logAllIn(
  tracker: ServerProcess,
  crew: Crew,
  clients: number,
  seed: number,
): Promise<void> {
  const startedAtMs = performance.now()
  const cpuBefore = tracker.cpuSeconds
  const report = await crew.come(tracker.port, comingAtOnce, seed)
  const tookMs = performance.now() - startedAtMs
  const cpuMs = (tracker.cpuSeconds - cpuBefore) * 1000
  say('logged in with the password: s, CPU ms each', inS(tookMs), (cpuMs / clients).toFixed(2))
  mentionGenerators(report)
}

/** All are active for so long. */
export async function actAll(
  tracker: ServerProcess,
  crew: Crew,
  { clients, seconds }: { clients: number; seconds: number },
): Promise<void> {
  const actMs = seconds * 1000
  const usage = new Usage(tracker)
  const samples = new Samples(tracker, sampleEveryMs)
  const report = await crew.run({
    what: 'act',
    everyMs: askEveryMs,
    warmUpMs,
    ms: warmUpMs + actMs,
    churns: false,
  })
  const taken = await samples.end()
  const residentBytes = Math.max(...taken.map((sample) => sample.residentBytes))
  const { latencies } = report
  const { p50Ms, p99Ms, maxMs, count, lost } = latencies
  say(`all ${thousands(clients)} active`, `${((count / actMs) * 1000).toFixed(0)}/s`, usage.sentence)
  say('  a query: p50, p99, longest, ms', inMs(p50Ms), inMs(p99Ms), inMs(maxMs))
  say(
    '  resident: most, for each client, heap',
    mebibytes(residentBytes),
    kibibytes(residentBytes / clients),
    heapOf(taken),
  )
  mentionGenerators(report)
  verdict(
    `p99 of a query while all are active`,
    `${inMs(p99Ms)} ms`,
    `${thousands(queryP99MsMax)} ms`,
    p99Ms < queryP99MsMax,
  )
  verdict('queries without an answer', thousands(lost), '0', lost === 0)
  judgeResident(residentBytes, clients)
}

/** Kills the tracker and starts it again; all come back. Resolves to the new one. */
export async function restart(tracker: ServerProcess, crew: Crew, clients: number): Promise<ServerProcess> {
  await crew.run({ what: 'expect restart' })
  const killedAtMs = epochMs()
  await tracker.kill()
  const next = await ServerProcess.tracker(words, undefined, tracker.port)
  const listensAtMs = epochMs()
  const usage = new Usage(next)
  const report = await crew.run({ what: 'come back' })
  const { backAtMs } = report
  const since = (share: number): number =>
    (backAtMs[Math.ceil(share * backAtMs.length) - 1] ?? Infinity) - killedAtMs
  say(
    'restarted: serves after s, half are back, 99 %, all',
    inS(listensAtMs - killedAtMs),
    inS(since(0.5)),
    inS(since(0.99)),
    inS(since(1)),
  )
  const { calls, handshakes, passwordLogins } = report
  say('  calls, handshakes, logins with the password', ...[calls, handshakes, passwordLogins].map(thousands))
  say('  the tracker', usage.sentence)
  say('  CPU ms each, with the start', ((next.cpuSeconds * 1000) / clients).toFixed(2))
  mentionGenerators(report)
  const isBack = backAtMs.length === clients && since(1) <= backMsMax
  verdict(`${thousands(clients)} back after a kill`, `${inS(since(1))} s`, `${inS(backMsMax)} s`, isBack)
  return next
}

/** Lets clients, groups and files come and go for so long, and judges whether the tracker stays as large as it is. */
export async function soak(tracker: ServerProcess, crew: Crew, minutes: number): Promise<void> {
  const usage = new Usage(tracker)
  const descriptorsBefore = tracker.descriptors
  let count = 0
  say('soak: minutes', 'resident', 'heap', 'descriptors')
  const samples = new Samples(tracker, sampleEveryMs, (sample) => {
    if (count++ % samplesPerLine === 0) sayRow(sample)
  })
  const ms = minutes * 60_000
  const report = await crew.run({ what: 'act', everyMs: askEveryMs, warmUpMs, ms, churns: true })
  const taken = await samples.end()
  const last = taken.at(-1)
  if (last !== undefined) sayRow(last)
  const { p50Ms, p99Ms, lost } = report.latencies
  say('came and went: clients, with the password', thousands(report.left), thousands(report.passwordLogins))
  say('  groups; the tracker', thousands(report.groups), usage.sentence)
  say('  a query: p50, p99 ms, without an answer', inMs(p50Ms), inMs(p99Ms), thousands(lost))
  mentionGenerators(report)
  judgeFlat(taken, descriptorsBefore)
}

function judgeFlat(taken: readonly Sample[], descriptorsBefore: number): void {
  const growth = growthAnHour(taken, 'residentBytes')
  say(
    'second half: resident, heap grow an hour by',
    mebibytes(growth),
    mebibytes(growthAnHour(taken, 'heapBytes')),
  )
  const quarters = [
    meanOf(taken, 'residentBytes', 0.25, 0.5),
    meanOf(taken, 'residentBytes', 0.75, 1),
  ] as const
  const factor = quarters[1] / quarters[0]
  const what = `resident in the last quarter, × the second (${quarters.map(mebibytes).join(' → ')})`
  verdict(what, factor.toFixed(3), flatFactorMax.toFixed(1), factor <= flatFactorMax)
  const most = Math.max(...taken.map(({ descriptors }) => descriptors)) - descriptorsBefore
  const left = (taken.at(-1)?.descriptors ?? Infinity) - descriptorsBefore
  verdict(
    'descriptors more than before, at most',
    String(most),
    String(churnDescriptors),
    most <= churnDescriptors,
  )
  verdict('and at the end, with all back', String(left), '10', left <= 10)
}

function sayRow({ atS, residentBytes, heapBytes, descriptors }: Sample): void {
  const heap = heapBytes === undefined ? '' : mebibytes(heapBytes)
  say((atS / 60).toFixed(1), mebibytes(residentBytes), heap, descriptors)
}

function judgeResident(residentBytes: number, clients: number): void {
  const what = `resident with ${thousands(clients)} logged in and active`
  verdict(what, mebibytes(residentBytes), mebibytes(residentBytesMax), residentBytes <= residentBytesMax)
}

/** What should not happen, and whether the generators were the limit. */
function mentionGenerators({ troubles, load }: CrewReport): void {
  say('  the busiest load generator', percent(load))
  for (const [what, count] of troubles) say(`  TROUBLE ${what}`, thousands(count))
}

function heapOf(taken: readonly Sample[]): string {
  const heapBytes = taken.at(-1)?.heapBytes
  return heapBytes === undefined ? 'unknown' : mebibytes(heapBytes)
}

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`
}

function inS(ms: number): string {
  return (ms / 1000).toFixed(1)
}

/** Milliseconds since 1970, as precise as `performance.now()`: comparable between processes. */
function epochMs(): number {
  return performance.timeOrigin + performance.now()
}
