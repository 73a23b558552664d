// Measures what a crowd that wants one file costs the tracker: each client asks for the file (and so watches its
// swarm), announces some of its pieces, and later all.

import { join } from 'node:path'
import { Generator } from '../generator.ts'
import type { CrowdOrder, CrowdReport } from '../generators/crowd.ts'
import { problemWithOpenFiles } from '../open-files.ts'
import { megabytes, percent, say, thousands, verdict } from '../report.ts'
import { ServerProcess } from '../server-process.ts'
import { crowd } from '../states.ts'
import { benchCredentials } from '../tracker-user.ts'
import { folder } from '../workplace.ts'
import { writeLog } from '../write-log.ts'

const crowds = [1_000, 2_000, 10_000]
const largest = 10_000
const cpuSecondsMax = 5
const bytesMax = 100e6

/** They arrive within 20 s, and each has the file 10 s later. */
const times = { comingMs: 20_000, downloadMs: 10_000, afterMs: 2_000 }
/** Twenty times the bound is a clear miss; without a stop, a large crowd would take very long. */
const stopAt = { bytesMax: 20 * bytesMax, msMax: 75_000 }

interface Cost {
  readonly users: number
  readonly cpuSeconds: number
  readonly bytes: number
  /** The cost would have been higher: the crowd was stopped at `stopAt`, or the tracker ended. */
  readonly isStopped: boolean
  /** Out of three for each client. */
  readonly requestsAnswered: number
}

export async function benchNews(): Promise<void> {
  say('news: clients that come to one file', 'CPU s', 'sent', 'took s', 'lost', 'load CPU')
  for (const users of crowds) {
    const problem = problemWithOpenFiles(users)
    if (problem !== undefined) {
      verdict(`${thousands(users)} clients come to one file`, 'not measured', problem, false)
      continue
    }
    const cost = await measure(users)
    if (users === largest) judge(cost)
  }
}

async function measure(users: number): Promise<Cost> {
  const dataFolder = join(folder, `news-${users}`)
  await writeLog(dataFolder, crowd('owner', users, await benchCredentials()))
  const tracker = await ServerProcess.tracker(['--data-dir', dataFolder])
  const generator = new Generator<CrowdOrder, CrowdReport>('crowd')
  const order = { port: tracker.port, users, ...times, ...stopAt }
  await generator.run({ ...order, what: 'login' })
  const cpu = new CpuMeter(tracker)
  const report = await generator.run({ ...order, what: 'come' })
  const cpuSeconds = cpu.stop()
  const ended = tracker.endedBecause
  const { bytes, requestsAnswered, refusals } = report
  const isStopped = report.isStopped || ended !== undefined
  // Killed first, so that it does not notify everybody that everybody leaves.
  await tracker.kill()
  await generator.end()
  say(
    thousands(users),
    cpuSeconds.toFixed(1),
    megabytes(bytes),
    report.seconds.toFixed(0),
    report.lost,
    `${percent(report.load)}${report.load > 0.9 ? ' (the limit)' : ''}`,
  )
  const share = `after ${thousands(requestsAnswered)} of ${thousands(users * 3)} requests`
  if (ended !== undefined) say(`  the tracker ${ended} ${share}`)
  else if (isStopped) say(`  stopped ${share}`)
  if (refusals > 0) throw new Error(`${refusals} of ${users * 3} requests were refused`)
  return { users, cpuSeconds, bytes, isStopped, requestsAnswered }
}

/** Measures a tracker's CPU time from here on. Polls, because a process that has ended cannot be read. */
class CpuMeter {
  readonly #tracker: ServerProcess
  readonly #before: number
  #last: number
  readonly #timer = setInterval(() => this.#read(), 250)

  constructor(tracker: ServerProcess) {
    this.#tracker = tracker
    this.#before = tracker.cpuSeconds
    this.#last = this.#before
  }

  stop(): number {
    clearInterval(this.#timer)
    this.#read()
    return this.#last - this.#before
  }

  #read(): void {
    if (this.#tracker.endedBecause === undefined) this.#last = this.#tracker.cpuSeconds
  }
}

function judge({ users, cpuSeconds, bytes, isStopped, requestsAnswered }: Cost): void {
  const what = `${thousands(users)} clients come to one file`
  const least = isStopped ? 'more than ' : ''
  const isCheap = !isStopped && cpuSeconds < cpuSecondsMax
  verdict(`${what}, CPU`, `${least}${cpuSeconds.toFixed(1)} s`, `${cpuSecondsMax} s`, isCheap)
  // A tracker that answers fewer requests is cheaper but no better.
  const [answered, all] = [thousands(requestsAnswered), thousands(users * 3)]
  verdict(`${what}, requests answered`, answered, all, requestsAnswered === users * 3)
  const isShort = !isStopped && bytes < bytesMax
  verdict(`${what}, sent`, `${least}${megabytes(bytes)}`, megabytes(bytesMax), isShort)
}
