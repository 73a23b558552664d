// Asks the trackers for a file without following its swarm.

import type { Answer } from '../../common/refusal.ts'
import type { FoundFile } from '../downloading/swarm-lookup.ts'
import type { Session } from '../session.ts'
import type { Core } from './core.ts'

/** Rejects with a failure when no tracker can be reached. */
export async function findOnce(
  { link }: Pick<Core, 'link'>,
  { downloads }: Session,
  { group, name }: { group: string; name: string },
): Promise<Answer<FoundFile>> {
  const found = await link.ask('find_file', { group, name })
  // Who asks is told of every change from then on, which only a download needs.
  if (found.ok && !downloads.needsSwarm(group, name))
    link.ask('forget_file', { group, name }).catch(() => undefined)
  return found
}
