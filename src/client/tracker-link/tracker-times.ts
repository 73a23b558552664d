// Asks trackers for their time.

import { formatAddress } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import type { TrackerConnection } from './tracker-connection.ts'

/** The clocks of the trackers that answer within `timeoutMs`, in milliseconds ahead of that of this machine. */
export async function clocksOf(
  connections: readonly TrackerConnection[],
  timeoutMs: number,
): Promise<{ address: string; aheadMs: number }[]> {
  const asked = connections.map(async (connection) => {
    const sentMs = Date.now()
    const answer = await connection.request('ping', {}, timeoutMs)
    if (!answer.ok || answer.value.timeMs === undefined) return []
    const aheadMs = answer.value.timeMs - (sentMs + Date.now()) / 2
    return [{ address: formatAddress(connection.address), aheadMs }]
  })
  const settled = await Promise.allSettled(asked)
  return settled.flatMap((outcome) => {
    if (outcome.status === 'fulfilled') return outcome.value
    if (!(outcome.reason instanceof Failure)) throw outcome.reason
    return []
  })
}

/** Asks a tracker that is up for its time, in milliseconds since 1970. Rejects for bugs only. */
export async function askTime(
  connection: TrackerConnection,
  onTime: (key: string, timeMs: number) => void,
): Promise<void> {
  const key = connection.greeting?.key
  if (key === undefined) return
  try {
    const answer = await connection.request('ping', {})
    // An older tracker does not send its time.
    if (!answer.ok || answer.value.timeMs === undefined) return
    // Another tracker may listen at this address by now.
    if (key === connection.greeting?.key) onTime(key, answer.value.timeMs)
  } catch (error) {
    // The tracker is gone, and sends its time when it comes back.
    if (!(error instanceof Failure)) throw error
  }
}
