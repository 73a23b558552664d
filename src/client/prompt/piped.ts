// The prompt of a script: runs one command after the other, each to its end, without a prompt.

import { sentenceOf, systemCode } from '../../common/failure.ts'
import { refuse } from '../../common/refusal.ts'
import type { AwaitedDownloads, Operations } from '../operations.ts'
import type { Conversation } from './conversation.ts'
import { exitCodes } from './exit-codes.ts'
import { lineCharactersMax } from './input-lines.ts'
import { SideBySide } from './side-by-side.ts'

/** Keeps a script from hanging when nobody has the file; the download resumes at the next login. */
const giveUpWithoutSeederMs = 60_000

/** The lines of a script, one after the other; undefined for one that is too long. */
export type ScriptLines = AsyncIterator<string | undefined>

export interface Script {
  readonly lines: ScriptLines
  readonly conversation: Conversation
  readonly operations: Operations
  /** Called after the last line of a script that shall seed until `stopped`. */
  readonly linger: (() => void) | undefined
  /** Runs nothing more after a command that failed. */
  readonly stopsAtError: boolean
  /** Whether to wait for downloads that the script has not begun. */
  readonly settlesAll: boolean
  /** Says now and then how the downloads get on, while it waits for them in the end. */
  readonly report: (settled: Promise<unknown>) => void
  readonly stopped: Promise<void>
}

/** Waits for downloads. Without a time to wait for, gives up on those that have no seeder for a minute. */
export function settleOrGiveUp(operations: Operations, which: AwaitedDownloads = {}): Promise<boolean> {
  return operations.downloadsSettled(
    which.timeoutMs === undefined ? { ...which, giveUpWithoutSeederMs } : which,
  )
}

/** Runs every line. Resolves to true when one of them quits, or ends the script by its failure. */
async function runLines({ lines, conversation, stopsAtError }: Script): Promise<boolean> {
  const beside = new SideBySide(conversation)
  const isOver = (): boolean => stopsAtError && conversation.failed
  for (;;) {
    const next = await lines.next().catch(async (error: unknown) => {
      // For example, standard input is a folder or a closed terminal. Bugs have no system code.
      if (systemCode(error) === undefined) throw error
      await beside.idle()
      conversation.refuse(refuse('local-file', `the commands cannot be read: ${sentenceOf(error)}`).refusal)
    })
    if (next?.done === false && (await beside.takes(next.value, isOver))) continue
    await beside.idle()
    if (isOver()) return true
    if (next === undefined || next.done === true) return false
    if (next.value === undefined) {
      const sentence = `this line has more than ${lineCharactersMax} characters and is skipped`
      conversation.refuse(refuse('usage', sentence).refusal)
    } else if (await conversation.run(next.value)) return true
    if (isOver()) return true
  }
}

/**
 * Runs a script, and what it started, to the end. Resolves when the program may exit; `conversation.exitCode` then
 * tells with which code.
 */
export async function runPiped(script: Script): Promise<void> {
  const { conversation, operations, linger, settlesAll, report, stopped } = script
  if (await runLines(script)) return
  if (linger !== undefined) {
    linger()
    return stopped
  }
  if (!settlesAll && !conversation.hasBegunDownload) return
  const settled = settleOrGiveUp(operations)
  report(settled)
  await settled
  // A full disk pauses a download. The script does not have its file, so it failed.
  const downloads = await operations.showDownloads()
  if (downloads.some(({ state, why }) => state === 'paused' && why !== undefined))
    conversation.fail(exitCodes.disk)
}
