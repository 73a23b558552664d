// The one rule about commands that would pull the ground from under a running download.

import type { Answer } from '../../../common/refusal.ts'
import { accept, refuse } from '../../../common/refusal.ts'
import type { Surroundings } from '../command.ts'

/** A small file is there sooner; a prompt that is silent for longer feels broken. */
const momentMs = 2000

/**
 * Goes before a command that would make running downloads impossible or meaningless. A script that
 * downloads a file and then leaves the group, or stops sharing it, means to have the file: it waits.
 * A person in front of a terminal must not find the prompt blocked for an hour: what takes longer than a
 * moment they decide themselves.
 */
export async function afterDownloads(
  { operations, terminal, settle }: Surroundings,
  group: string,
  name?: string,
): Promise<Answer<void>> {
  const running = operations
    .showDownloads()
    .find(
      (one) => one.state === 'running' && one.group === group && (name === undefined || one.name === name),
    )
  if (running === undefined) return accept(undefined)
  if (!terminal) {
    await settle(group)
    return accept(undefined)
  }
  const settled = operations.downloadsSettled(group).then(() => true)
  const moment = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), momentMs))
  if (await Promise.race([settled, moment])) return accept(undefined)
  return refuse('busy', `${running.name} is still downloading; wait for it or cancel_download it`)
}
