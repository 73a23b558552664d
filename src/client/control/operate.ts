// Carries out an operation that another process, or the page, asks for by its name.

import { isAbsolute } from 'node:path'
import { expandHome } from '../../common/home-folder.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { refusalOf } from '../answers.ts'
import type { Operations } from '../operations.ts'
import { pathArguments, remoteOperations, type RemoteOperation } from './protocol.ts'

/** `given`: the arguments in their order. Rejects for a bug alone. */
export async function operate(
  operations: Operations,
  name: RemoteOperation,
  given: readonly unknown[],
): Promise<Answer<{ value?: unknown }>> {
  // JSON has null where an argument was left out.
  const meant = given.map((each) => each ?? undefined)
  const at = pathArguments[name]
  if (at !== undefined) {
    const typed = meant[at]
    const path = expandHome(typeof typed === 'string' ? typed : '')
    // This process has another working folder than whoever asks.
    if (!isAbsolute(path)) return refuse('usage', `"${path}" is not a whole path; write it from / or from ~`)
    meant[at] = path
  }
  const operation = operations[name] as (...given: unknown[]) => Promise<unknown>
  try {
    const result = await operation.apply(operations, meant)
    if (remoteOperations[name] === 'returns') return accept({ value: result })
    const answer = result as Answer<unknown>
    return answer.ok ? accept({ value: answer.value }) : answer
  } catch (error) {
    const refusal = refusalOf(error)
    if (refusal === undefined) throw error
    return refusal
  }
}
