// Introduces this client to what listens at a tracker's address, which may be something else.

import { formatAddress, type Address } from '../../common/addresses.ts'
import { Failure } from '../../common/failure.ts'
import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import type { Answer } from '../../common/refusal.ts'
import { clientGreeting } from '../../common/version.ts'
import type { Caller } from '../../common/wire/caller.ts'
import type { Result } from '../../common/wire/methods.ts'
import { TrackerProblem } from './tracker-problem.ts'

export type Greeting = Result<TrackerProtocol, 'hello'>

/** Rejects with a `TrackerProblem` when it is no tracker, or takes nobody, or with a failure of the connection. */
export async function greetTracker(caller: Caller<TrackerProtocol>, address: Address): Promise<Greeting> {
  let greeting: Answer<Greeting>
  try {
    greeting = await caller.request('hello', clientGreeting)
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'protocol') throw error
    throw isNoTracker(address, error)
  }
  if (greeting.ok) {
    const { secure } = caller.channel
    if (secure === undefined || secure.peerKey === greeting.value.key) return greeting.value
    throw isNoTracker(address)
  }
  const { code, sentence } = greeting.refusal
  // A client answers like this: it parses the line but does not know the method.
  if (code === 'invalid-params' || code === 'unknown-method') throw isNoTracker(address)
  const kind = code === 'protocol-version' ? 'version' : code === 'busy' ? 'full' : 'login-refused'
  throw new TrackerProblem(kind, `the tracker ${formatAddress(address)} says: ${sentence}`)
}

function isNoTracker(address: Address, cause?: Failure): Failure {
  return new TrackerProblem(
    'not-a-tracker',
    `what listens at ${formatAddress(address)} is not a Coterie tracker`,
    cause,
  )
}
