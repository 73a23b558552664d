// Changes that users ask for: into the log, and back as an answer.

import type { Answer } from '../../common/refusal.ts'
import { foresee } from '../state/apply.ts'
import type { Change, Register } from '../state/commands.ts'
import type { Requester } from './requester.ts'
import { answerOf } from './sentences.ts'
import type { Services } from './services.ts'

/** What a request for a change has besides the change. */
interface Asking {
  /** An earlier try may still be on its way to the log. */
  readonly again?: boolean | undefined
}

/**
 * The answer when the change is durable. What changes nothing is answered at once and needs no log: else whoever is
 * refused again and again would fill it, and so would a login with ten thousand shares that are known. That is
 * sure when the state is up to date, when nothing is on its way to the log that could make it otherwise, and when
 * this is the first try: an earlier one must not be carried out after its asker has been told no.
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
