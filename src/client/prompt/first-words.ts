// What a person hears at the start of a prompt, beside it: whether a tracker answers, and what waits for whoever is logged
// in already.

import type { Operations } from '../operations.ts'
import { afterLogin } from './commands/accounts.ts'
import type { Line } from '../../common/terminal/line.ts'

export interface FirstWordsParts {
  readonly operations: Operations
  /** What is said of the trackers; it ends when one answers. */
  readonly contact?: AsyncIterable<string>
  /** Shows what is read through, for who is logged in. */
  readonly showReading: () => void
}

/** Rejects for bugs only. Never ends while no tracker answers. */
export async function firstWords(
  { operations, contact, showReading }: FirstWordsParts,
  show: (line: Line) => void,
): Promise<void> {
  if (operations.whoami() !== undefined) showReading()
  for await (const text of contact ?? []) show({ text, tone: 'faint' })
  // By a remembered login, or in another terminal.
  if (operations.whoami() === undefined) return
  for (const line of (await afterLogin(operations)).lines) show(line)
}
