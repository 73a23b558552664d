// Rules for shares: who shares which content under which name in a group.

import type { FileVersion } from '../../common/protocol/fields.ts'
import { groupFor } from './authorization.ts'
import { addEntry, addSharer, dropSharer, removeEntry, replaceContent, type Content } from './changes.ts'
import type { At, ShareFile, UnshareFile } from './commands.ts'
import type { Effect, EntryNews } from './effects.ts'
import { done, no, type Decision, type No } from './outcomes.ts'
import { overQuota } from './quotas.ts'
import { allOf, countOf, isAmong } from './sharers.ts'
import { firstSharerOf, type Account, type Edition, type Entry, type Group, type State } from './state.ts'

/** One more sharer of a content, a new name, or by whoever was first to share the name, a new version. */
export function shareFile(
  state: State,
  command: ShareFile,
  by: Account,
  at: At,
  effects: Effect[],
): Decision {
  const { name, fileId, sizeBytes, files } = command
  const found = groupFor(state, command.kind, command.group, by)
  if (!found.ok) return found
  // A tracker of then would list it as a file.
  if (files !== undefined && state.level < 3) return no('not-yet')
  const group = found.value
  const entry = group.entries.get(name)
  if (entry === undefined) return shareNew(state, group, command, by, at, effects)
  if (entry.fileId !== fileId) return replace(state, entry, command, by, at, effects)
  // The id covers the size, so one of the two is lying; the one that was here first is believed.
  if (entry.sizeBytes !== sizeBytes || entry.edition?.files !== files)
    return no('other-size', name, command.group)
  if (isAmong(entry.sharers, by)) return done
  return overSharesQuota(state, by) ?? (() => addSharer(state, entry, by))
}

function shareNew(
  state: State,
  group: Group,
  command: ShareFile,
  by: Account,
  at: At,
  effects: Effect[],
): Decision {
  const against = overSharesQuota(state, by) ?? overFilesQuota(state, group)
  if (against !== undefined) return against
  return () => {
    const entry = addEntry(state, group, command.name, contentOf(state, command, 1, at))
    addSharer(state, entry, by)
    effects.push({ kind: 'entry_changed', entry: newsOf(entry) })
  }
}

function contentOf({ level }: State, command: ShareFile, number: number, { atMs }: At): Content {
  const { fileId, sizeBytes, by, files } = command
  return { fileId, sizeBytes, edition: level < 3 ? undefined : { number, atMs, by, files } }
}

/** Other content under a name: a new version by whoever shared the name first, a mistake by anybody else. */
function replace(
  state: State,
  entry: Entry,
  command: ShareFile,
  by: Account,
  at: At,
  effects: Effect[],
): Decision {
  const first = firstSharerOf(entry)
  if (first !== by) return no('name-taken', command.group, command.name, first.name)
  return () => {
    effects.push(goneOf(entry))
    replaceContent(state, entry, contentOf(state, command, numberOf(entry) + 1, at))
    addSharer(state, entry, by)
    effects.push({ kind: 'entry_changed', entry: newsOf(entry) })
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

/** Which version of its name a content is: what was there before level 3 counts as the first. */
export function numberOf({ edition }: { readonly edition: Edition | undefined }): number {
  return edition?.number ?? 1
}

function newsOf(entry: Entry): EntryNews {
  const { sizeBytes, edition } = entry
  return { ...versionOf(entry), sizeBytes, version: numberOf(entry), files: edition?.files }
}

function goneOf(entry: Entry): Effect {
  const sharers = Array.from(allOf(entry.sharers), ({ name }) => name)
  return { kind: 'file_gone', version: versionOf(entry), sharers }
}

function versionOf({ group, name, fileId }: Entry): FileVersion {
  return { group: group.name, name, fileId }
}
