// Rules for shares: who shares which content under which name in a group.

import type { FileVersion } from '../../common/protocol/fields.ts'
import { groupFor } from './authorization.ts'
import { addEntry, addSharer, dropSharer, removeEntry, replaceContent } from './changes.ts'
import type { ShareFile, UnshareFile } from './commands.ts'
import type { Effect } from './effects.ts'
import { done, no, type Decision, type No } from './outcomes.ts'
import { overQuota } from './quotas.ts'
import { allOf, countOf, isAmong } from './sharers.ts'
import { firstSharerOf, type Account, type Entry, type Group, type State } from './state.ts'

export function shareFile(state: State, command: ShareFile, by: Account, effects: Effect[]): Decision {
  const { name, fileId, sizeBytes } = command
  const found = groupFor(state, command.kind, command.group, by)
  if (!found.ok) return found
  const group = found.value
  const entry = group.entries.get(name)
  if (entry === undefined) return shareNew(state, group, command, by)
  if (entry.fileId !== fileId) return replace(state, entry, command, by, effects)
  // The id covers the size, so one of the two is lying; the one that was here first is believed.
  if (entry.sizeBytes !== sizeBytes) return no('other-size', name, command.group)
  if (isAmong(entry.sharers, by)) return done
  return overSharesQuota(state, by) ?? (() => addSharer(state, entry, by))
}

function shareNew(state: State, group: Group, { name, fileId, sizeBytes }: ShareFile, by: Account): Decision {
  const against = overSharesQuota(state, by) ?? overFilesQuota(state, group)
  return against ?? (() => addSharer(state, addEntry(state, group, name, fileId, sizeBytes), by))
}

/** Other content under a name: a new version by whoever shared the name first, a mistake by anybody else. */
function replace(
  state: State,
  entry: Entry,
  { group, name, fileId, sizeBytes }: ShareFile,
  by: Account,
  effects: Effect[],
): Decision {
  const first = firstSharerOf(entry)
  if (first !== by) return no('name-taken', group, name, first.name)
  return () => {
    effects.push(goneOf(entry))
    replaceContent(state, entry, fileId, sizeBytes)
    addSharer(state, entry, by)
  }
}

export function unshareFile(state: State, command: UnshareFile, by: Account, effects: Effect[]): Decision {
  const { group, name } = command
  const found = groupFor(state, command.kind, group, by)
  if (!found.ok) return found
  const entry = found.value.entries.get(name)
  if (entry === undefined) return no('no-such-file', name, group)
  if (!isAmong(entry.sharers, by)) return no('not-shared', name, group)
  return () => withdrawShare(state, entry, by, effects)
}

/** Ends this user's share; removes an entry without sharers. */
export function withdrawShare(state: State, entry: Entry, user: Account, effects: Effect[]): void {
  const version = versionOf(entry)
  dropSharer(state, entry, user)
  if (countOf(entry.sharers) > 0) effects.push({ kind: 'share_withdrawn', version, user: user.name })
  else {
    effects.push({ kind: 'file_gone', version, sharers: [user.name] })
    removeEntry(state, entry)
  }
}

function overSharesQuota(state: State, by: Account): No | undefined {
  return state.level < 2 ? undefined : overQuota(state.quotas, 'files_of_account', by.shares)
}

function overFilesQuota({ level, quotas, shelves }: State, group: Group): No | undefined {
  if (level < 2) return undefined
  return (
    overQuota(quotas, 'files_of_group', group.entries.size) ??
    overQuota(quotas, 'files', shelves.entries.count)
  )
}

function goneOf(entry: Entry): Effect {
  const sharers = Array.from(allOf(entry.sharers), ({ name }) => name)
  return { kind: 'file_gone', version: versionOf(entry), sharers }
}

function versionOf({ group, name, fileId }: Entry): FileVersion {
  return { group: group.name, name, fileId }
}
