// Does what standing wishes ask for, with the tracker link, the shares and the downloads.

import { dirname } from 'node:path'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import type { Download } from '../downloading/download.ts'
import type { Downloads } from '../downloading/downloads.ts'
import type { ShareLibrary } from '../sharing/share-library.ts'
import { allFiles } from '../tracker-link/listing.ts'
import type { TrackerLink } from '../tracker-link/tracker-link.ts'
import type { Fetching, SubscriptionEvents, Wanted } from './subscriptions.ts'

export interface FulfilmentParts {
  readonly link: TrackerLink
  readonly shares: ShareLibrary
  readonly downloads: Downloads
  readonly onNotice: (sentence: string) => void
  readonly onFailure: (error: unknown) => void
}

export function fulfilment(parts: FulfilmentParts): SubscriptionEvents {
  const { link, onNotice, onFailure } = parts
  return {
    async follow(group, after) {
      const answer = await link.ask('follow_group', after === undefined ? { group } : { group, after })
      if (answer.ok || answer.refusal.code !== 'unknown-method') return answer
      return refuse('protocol-version', 'the tracker is too old for this; whoever runs it has to update it')
    },
    unfollow: (group) => link.ask('unfollow_group', { group }).catch(() => undefined),
    async list(group) {
      const listed = await allFiles(link, group, true)
      if (!listed.ok) return listed
      return accept(
        listed.value.flatMap(({ name, details }) =>
          details === undefined ? [] : [{ group, name, fileId: details.fileId }],
        ),
      )
    },
    fetch: (wanted, folder) => fetchInto(wanted, folder, parts),
    onNotice,
    onFailure,
  }
}

async function fetchInto(wanted: Wanted, folder: string, parts: FulfilmentParts): Promise<Answer<Fetching>> {
  const { group, name, fileId } = wanted
  const { shares, downloads, onNotice } = parts
  const isThere = { isWaiting: false, done: Promise.resolve(accept(undefined)) }
  await downloads.begun(group, name)
  const running = downloads.find({ group, name })
  // Begun before a restart, or by a command. It may wait for somebody who has it, and others need not wait for that.
  if (running?.state === 'running')
    return accept({ isWaiting: true, done: afterThat(running, wanted, folder, parts) })
  const share = shares.shareOf(group, name)
  if (share?.fileId === fileId) {
    if (dirname(share.path) !== folder) onNotice(`${name} of ${group} is here already: ${share.path}`)
    return accept(isThere)
  }
  // An earlier version as it was, whoever fetched it: what the user has changed here is never replaced.
  const options = { overwrite: true, onlyEarlier: true } as const
  const begun = await downloads.begin(group, name, folder, options)
  if (!begun.ok) return begun
  const download = downloads.find({ group, name })
  if (begun.value.adopted === true || download === undefined) return accept(isThere)
  return accept({ isWaiting: begun.value.waiting, done: outcomeOf(download, fileId) })
}

/** What runs may be an earlier version, or go over to another one. */
async function afterThat(
  running: Download,
  wanted: Wanted,
  folder: string,
  parts: FulfilmentParts,
): Promise<Answer<void>> {
  const outcome = await outcomeOf(running, wanted.fileId)
  if (running.record.fileId === wanted.fileId) return outcome
  const begun = await fetchInto(wanted, folder, parts)
  return begun.ok ? begun.value.done : begun
}

/** Resolves when it is there, or is not to be had. */
async function outcomeOf(download: Download, fileId: string): Promise<Answer<void>> {
  await download.settled()
  const { state, why } = download.view()
  if (state === 'complete' && download.record.fileId === fileId) return accept(undefined)
  return refuse('no-such-download', why ?? `it is ${state}`)
}
