// Starts a tracker on a log of a million commands, and measures its time and resident memory. Done once per run, for
// the parts `memory` and `start`.

import { ServerProcess } from './server-process.ts'
import { mebibytes, verdict } from './report.ts'
import { commandsOfLongLog, withLongLog } from './workplace.ts'
import { thousands } from './report.ts'

/** Half of the 819 MiB that a tracker of November 2026 (commit 8b625f9) took. */
const residentBytesMax = (819 * 2 ** 20) / 2

interface Start {
  readonly seconds: number
  readonly residentBytes: number
}

let measured: Promise<{ dataFolder: string; start: Start }> | undefined

/** The start that replays the log, and the data folder it leaves. */
export function startOnLongLog(): Promise<{ dataFolder: string; start: Start }> {
  measured ??= (async () => {
    const dataFolder = await withLongLog('start')
    return { dataFolder, start: await startOn(dataFolder) }
  })()
  return measured
}

export async function startOn(dataFolder: string): Promise<Start> {
  const tracker = await ServerProcess.tracker(['--data-dir', dataFolder])
  const { residentBytes, startMs } = tracker
  await tracker.stop()
  return { seconds: startMs / 1000, residentBytes }
}

export function judgeResident({ residentBytes }: Start): void {
  verdict(
    `resident after ${thousands(commandsOfLongLog)} logged commands`,
    mebibytes(residentBytes),
    mebibytes(residentBytesMax),
    residentBytes <= residentBytesMax,
  )
}
