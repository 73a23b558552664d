// Asks the trackers to have another client come to this one, and passes on the calls of others.

import type { Address } from '../../common/addresses.ts'
import { Failure, sentenceOf } from '../../common/failure.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import type { Params, Result } from '../../common/wire/methods.ts'
import type { TrackerConnection } from '../tracker-link/tracker-connection.ts'

/** Where the other client may be found, as the tracker has seen it. */
export type Ways = Result<TrackerProtocol, 'call_peer'>

export interface Answered {
  readonly ways: Ways
  /** This end of the connection to the tracker that called: routers let through what answers to it. */
  readonly from: Address | undefined
}

/** What calling needs of a connection to a tracker. */
export type CallingTracker = Pick<TrackerConnection, 'request' | 'takesCalls' | 'localEnd'>

/** How long a tracker may take to call. */
const answerWithinMs = 2500

/**
 * Has the first tracker that can do so call the other client. Rejects with a failure that says why none of them does.
 */
export async function callPeer(
  trackers: readonly CallingTracker[],
  call: Params<TrackerProtocol, 'call_peer'>,
): Promise<Answered> {
  let why = 'no tracker can call it'
  for (const tracker of trackers) {
    if (!tracker.takesCalls) continue
    try {
      const answer = await tracker.request('call_peer', call, answerWithinMs)
      if (answer.ok) return { ways: answer.value, from: tracker.localEnd }
      why = sentenceOf(answer.refusal.sentence)
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      why = error.message
    }
  }
  throw new Failure('connection-lost', why)
}
