// Changes that users ask for: into the log, and back as an answer.

import type { Answer } from '../../common/refusal.ts'
import { foresee, knownOutcome } from '../state/apply.ts'
import type { Change, UserCommand } from '../state/commands.ts'
import type { Sequencer } from '../sequencer.ts'
import type { Outcome } from '../state/outcomes.ts'
import type { Requester } from './requester.ts'
import { answerOf } from './sentences.ts'
import type { Services } from './services.ts'

/** What a request for a change carries besides the change. */
interface Asking {
  /** An earlier try may still be on its way to the log. */
  readonly again?: boolean | undefined
}

/** A change in groups by the user of the connection, whose login has to hold when it is carried out. */
export function changeBy(
  services: Services,
  wish: WithoutBy<Change> & Asking,
  from: Requester,
): Answer<object> | Promise<Answer<object>> {
  const { user, account, epoch } = from.login
  // Version 0.1 knows no such fields; nothing ends logins at level 1.
  const login = services.sequencer.state.level < 2 ? {} : { account, epoch }
  return change(services, { by: user, ...login, ...wish }, from)
}

type WithoutBy<C> = C extends Change ? Omit<C, 'by' | 'account' | 'epoch'> : never

/**
 * Answers when the change is durable. A request that changes nothing is answered at once, without the log; endless
 * refusals, or a login with ten thousand known shares, would fill it. That is safe when its outcome is known, or when
 * it is sure and every other copy of the command will have it, too.
 */
export function change(
  { sequencer, answeredHere, nowMs }: Services,
  { again = false, ...command }: UserCommand & Asking,
  from: Requester,
): Answer<object> | Promise<Answer<object>> {
  const { state } = sequencer
  const known = knownOutcome(state, command) ?? answeredHere.outcomeOf(command)
  if (known !== undefined) return answerOf(known)
  const foreseen = foresee(state, command, { position: state.position, atMs: nowMs(), from: from.host })
  if (foreseen === undefined || !isSure(sequencer, command, foreseen, again))
    return sequencer.submit(command, from.host).then(answerOf)
  // A login that holds may do it yet.
  if (again && (foreseen.ok || foreseen.reason !== 'login-ended')) answeredHere.onAnswered(command, foreseen)
  return answerOf(foreseen)
}

/**
 * Whether a foreseen outcome is that of the log: the state is current, nothing on its way through this tracker could
 * turn it, and no earlier try may turn up in the log by another way.
 */
function isSure(
  { isCurrent, isInDoubt, underWay }: Sequencer,
  command: UserCommand,
  foreseen: Outcome,
  again: boolean,
): boolean {
  return isCurrent && !(again && isInDoubt) && !underWay.mayTurn(foreseen, command)
}
