// The one rule about commands that would pull the ground from under a running download.

import type { Answer } from '../../../common/refusal.ts'
import { accept, refuse } from '../../../common/refusal.ts'
import type { Surroundings } from '../command.ts'

/**
 * Goes before a command that would make running downloads impossible or meaningless. A script that
 * downloads a file and then leaves the group, or stops sharing it, means to have the file: it waits.
 * A person in front of a terminal must not find the prompt blocked for an hour: they choose themselves.
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
  if (terminal)
    return refuse('busy', `${running.name} is still downloading; wait for it or cancel_download it`)
  await settle(group)
  return accept(undefined)
}
