// Measures how long the tracker takes to start with a million commands in the log, and from a snapshot of that state.

import { judgeResident, startOn, startOnLongLog } from '../long-log-start.ts'
import { mebibytes, say, thousands } from '../report.ts'
import { commandsOfLongLog } from '../workplace.ts'

export async function benchStart(): Promise<void> {
  const { dataFolder, start } = await startOnLongLog()
  say(
    `start with ${thousands(commandsOfLongLog)} commands in the log`,
    `${start.seconds.toFixed(2)} s`,
    mebibytes(start.residentBytes),
  )
  judgeResident(start)
  const again = await startOn(dataFolder)
  say('start from what that left', `${again.seconds.toFixed(2)} s`, mebibytes(again.residentBytes))
}
