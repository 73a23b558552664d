// Protects running downloads from commands that would make them impossible or meaningless.

import { atMost } from '../../../common/at-most.ts'
import type { Answer } from '../../../common/refusal.ts'
import { accept, refuse } from '../../../common/refusal.ts'
import { quoteWord } from '../text/words.ts'
import type { Surroundings } from './command.ts'

/** A small file takes less; a prompt that is silent for longer feels broken. */
const momentMs = 2000

/**
 * Runs before a command that would make running downloads impossible or meaningless. Waits in a script: one
 * that downloads a file and then leaves the group, or stops sharing it, wants the file. In a terminal the
 * prompt must not block for an hour, so the command is refused if a download takes longer than a moment, and
 * the person decides.
 */
export async function afterDownloads(
  { operations, terminal, settle }: Surroundings,
  group: string,
  name?: string,
): Promise<Answer<void>> {
  const downloads = await operations.showDownloads()
  const running = downloads.find(
    (one) => one.state === 'running' && one.group === group && (name === undefined || one.name === name),
  )
  if (running === undefined) return accept(undefined)
  if (!terminal) {
    await settle({ group })
    return accept(undefined)
  }
  const settled = operations.downloadsSettled({ group }).then(() => true)
  if (await atMost(settled, momentMs)) return accept(undefined)
  return refuse(
    'busy',
    `${running.name} is still downloading; wait for it, or give it up: cancel_download ${quoteWord(group)} ${quoteWord(running.name)}`,
  )
}
