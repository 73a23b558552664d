// A start with a million commands in the log: what it takes, and what is resident afterwards. Measured once in a
// run, for the parts `memory` and `start`.

import { ServerProcess } from './server-process.ts'
import { mebibytes, verdict } from './report.ts'
import { commandsOfLongLog, withLongLog } from './workplace.ts'
import { thousands } from './report.ts'

/** Half of what a tracker of November 2026 (commit 8b625f9) had: 819 MiB. */
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
