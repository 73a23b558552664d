// Changes that users ask for: into the log, and back as an answer.

import type { Answer } from '../../common/refusal.ts'
import { foresee } from '../state/apply.ts'
import type { Change, Register } from '../state/commands.ts'
import type { Requester } from './requester.ts'
import { answerOf } from './sentences.ts'
import type { Services } from './services.ts'

/** What a request for a change carries besides the change. */
interface Asking {
  /** An earlier try may still be on its way to the log. */
  readonly again?: boolean | undefined
}

/**
 * Answers when the change is durable. A request that changes nothing is answered at once, without the log; endless
 * refusals, or a login with ten thousand known shares, would fill it. That is safe when the state is current, nothing
 * on its way to the log could alter the answer, and this is the first try: an earlier one must not take effect after
 * a refusal.
 */
export function change(
  { sequencer, nowMs }: Services,
  { again = false, ...command }: (Change | Register) & Asking,
  from: Requester,
): Answer<object> | Promise<Answer<object>> {
  const { state } = sequencer
  if (!again && sequencer.isCurrent) {
    const foreseen = foresee(state, command, { position: state.position, atMs: nowMs(), from: from.host })
    if (foreseen !== undefined) return answerOf(foreseen)
  }
  return sequencer.submit(command, from.host).then(answerOf)
}
