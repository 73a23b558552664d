// What a client does about the files of groups: sharing, listing and fetching them.

import { fileNameProblem, plainNameProblem } from '../../common/names.ts'
import { accept, refuse, type Answer, type RefusalCode } from '../../common/refusal.ts'
import type { TreeEntry } from '../../common/tree/tree.ts'
import { noSuchGroup, notLoggedIn } from '../answers.ts'
import { inSlices } from '../folder/in-slices.ts'
import { select } from '../folder/selection.ts'
import type { FileOperations, SharedFile } from '../operations.ts'
import type { Session } from '../session.ts'
import type { Core } from './core.ts'
import { entryPathOf, spellingOf, type EntryPath } from './entry-path.ts'
import { findOnce } from './find-once.ts'
import { RecentMembership } from './recent-membership.ts'
import { allFiles } from '../tracker-link/listing.ts'

export function fileActions(core: Core): FileOperations {
  const { link, session } = core
  const membership = new RecentMembership(link)
  return {
    async uploadFile(path, group, options = { skipSpecial: false }) {
      const open = session()
      if (open === undefined) return notLoggedIn()
      return open.shares.uploading(() => upload(core, membership, open, path, group, options))
    },
    async listFiles(group, { details = false, ...part } = {}) {
      if (session() === undefined) return notLoggedIn()
      if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
      const listed = await allFiles(link, group, details ? true : undefined, part)
      return details ? ofNewerTracker(listed) : listed
    },
    async listFolder(group, name) {
      const open = session()
      if (open === undefined) return notLoggedIn()
      if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
      const path = entryPathOf(name)
      return path.ok ? listFolder(core, open, group, path.value) : path
    },
    async listVersions(group, name) {
      if (session() === undefined) return notLoggedIn()
      if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
      const spelt = spellingOf(name)
      const problem = fileNameProblem(spelt)
      if (problem !== undefined) return refuse('bad-name', problem)
      const answer = ofNewerTracker(await link.ask('list_versions', { group, name: spelt }))
      return answer.ok ? accept(answer.value.versions) : answer
    },
    async downloadFile(group, name, destination, options) {
      const open = session()
      if (open === undefined) return notLoggedIn()
      if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
      const path = entryPathOf(name)
      if (!path.ok) return path
      const { within } = path.value
      return open.downloads.begin(group, path.value.name, destination, { ...options, within })
    },
    async stopShare(group, name) {
      const open = session()
      if (open === undefined) return notLoggedIn()
      if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
      return stopShare(open, group, spellingOf(name))
    },
  }
}

/** A tracker that does not understand the request is older than this client. */
function ofNewerTracker<T>(answer: Answer<T>): Answer<T> {
  if (answer.ok || !notUnderstood.has(answer.refusal.code)) return answer
  return refuse('protocol-version', 'the tracker is too old for this; ask whoever runs it to update it')
}

const notUnderstood: ReadonlySet<RefusalCode> = new Set<RefusalCode>(['unknown-method', 'invalid-params'])

/** New versions of these sizes, in bytes, get their recipes at once: that reads them again, mostly from memory. */
const [preparedFrom, preparedTo] = [1024 * 1024, 1024 * 1024 * 1024]

async function upload(
  { sources, prepareRecipe }: Core,
  membership: RecentMembership,
  session: Session,
  path: string,
  group: string,
  options: { skipSpecial: boolean },
): Promise<Answer<SharedFile>> {
  const problem = plainNameProblem('group', group)
  if (problem !== undefined) return refuse('bad-name', problem)
  // Checks before hashing, so that a minute of work does not end in "no such group".
  const member = await membership.check(session, group)
  if (!member.ok) return member
  const shared = await session.shares.upload(path, group, options)
  if (!shared.ok || shared.value.replaces === undefined) return shared
  const { name, sizeBytes } = shared.value
  const share = session.shares.shareOf(group, name)
  const source = share && sources.find(group, share.fileId)
  // Who has the version before asks for it soon.
  if (source !== undefined && sizeBytes >= preparedFrom && sizeBytes <= preparedTo) prepareRecipe(source)
  return shared
}

async function listFolder(
  core: Core,
  session: Session,
  group: string,
  { name, within }: EntryPath,
): Promise<Answer<TreeEntry[]>> {
  const found = await findOnce(core, session, { group, name })
  if (!found.ok) return found
  const read = await session.folders.read({ group, name }, found.value)
  if (!read.ok) return read
  const { entries } = read.value
  if (within === undefined) return accept([...entries])
  const selected = await inSlices(select(entries, within, name))
  if (!selected.ok) return selected
  const { chosen } = selected.value
  return accept(entries.filter((_, index) => chosen[index] === 1))
}

async function stopShare(
  { shares, downloads }: Session,
  group: string,
  name: string,
): Promise<Answer<{ isTold: boolean }>> {
  const wasOnlyDownloaded = downloads.unshare(group, name) && shares.shareOf(group, name) === undefined
  if (wasOnlyDownloaded) return accept({ isTold: true })
  const problem = fileNameProblem(name)
  return problem === undefined ? shares.stop(group, name) : refuse('bad-name', problem)
}
