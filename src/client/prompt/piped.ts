// The prompt of a script: runs one command after the other, each to its end, without a prompt.

import type { Readable } from 'node:stream'
import { sentenceOf, systemCode } from '../../common/failure.ts'
import type { Operations } from '../operations.ts'
import type { Conversation } from './conversation.ts'
import { inputLines, lineCharactersMax } from './input-lines.ts'

/** Keeps a script from hanging when nobody has the file; the download resumes at the next login. */
const giveUpWithoutSeederMs = 60_000

/** Waits for downloads, but gives up on those that have no seeder for a minute. */
export async function settleOrGiveUp(operations: Operations, group?: string): Promise<void> {
  await operations.downloadsSettled(group, giveUpWithoutSeederMs)
}

/** Runs every line of the input. Resolves to true when one of them quits. */
async function runLines(input: Readable, conversation: Conversation): Promise<boolean> {
  const lines = inputLines(input)
  for (;;) {
    const next = await lines.next().catch((error: unknown) => {
      // For example, standard input is a folder or a closed terminal. Bugs have no system code.
      if (systemCode(error) === undefined) throw error
      conversation.refuse(`the commands cannot be read: ${sentenceOf(error)}`)
    })
    if (next === undefined || next.done === true) return false
    if (next.value === undefined)
      conversation.refuse(`a line has at most ${lineCharactersMax} characters; this one is left out`)
    else if (await conversation.run(next.value)) return true
  }
}

export interface Script {
  readonly conversation: Conversation
  readonly operations: Operations
  /** Called after the last line of a script that shall seed until `stopped`. */
  readonly linger: (() => void) | undefined
  /** Whether to wait for downloads that the script has not begun. */
  readonly settlesAll: boolean
  readonly stopped: Promise<void>
}

/**
 * Runs a script, and what it started, to the end. Resolves when the program may exit; `conversation.failed`
 * then tells whether anything failed.
 */
export async function runPiped(
  input: Readable,
  { conversation, operations, linger, settlesAll, stopped }: Script,
): Promise<void> {
  if (await runLines(input, conversation)) return
  if (linger !== undefined) {
    linger()
    return stopped
  }
  if (!settlesAll && !conversation.hasBegunDownload) return
  await settleOrGiveUp(operations)
  // A full disk pauses a download. The script does not have its file, so it failed.
  const downloads = await operations.showDownloads()
  if (downloads.some(({ state, why }) => state === 'paused' && why !== undefined)) conversation.failed = true
}
