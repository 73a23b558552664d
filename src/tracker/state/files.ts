// Rules for shares: who shares which version of which file in a group.

import { refuse } from '../../common/refusal.ts'
import type { ShareFile, UnshareFile } from './commands.ts'
import type { Effect } from './effects.ts'
import { done, groupForMember } from './outcomes.ts'
import { firstSharerOf, type Group, type Outcome, type SharedFile, type State } from './state.ts'

export function shareFile(state: State, command: ShareFile, effects: Effect[]): Outcome {
  const found = groupForMember(state, command.group, command.by)
  if (!found.ok) return found
  const { files } = found.value
  const file = files.get(command.name)
  if (file === undefined) {
    files.set(command.name, versionOf(command))
    return done
  }
  if (file.fileId !== command.fileId) return replaceFile(files, file, command, effects)
  // The id covers the size, so one of the two is lying; the one that was here first is believed.
  if (file.sizeBytes !== command.sizeBytes)
    return refuse('name-taken', `${command.name} in ${command.group} has another size`)
  file.sharers.add(command.by)
  return done
}

/** Other content under a name: a new version by whoever shared the name first, a mistake by anybody else. */
function replaceFile(
  files: Map<string, SharedFile>,
  file: SharedFile,
  command: ShareFile,
  effects: Effect[],
): Outcome {
  const { group, name, by } = command
  if (firstSharerOf(file) !== by) {
    return refuse('name-taken', `${group} has another file called ${name}, shared by ${firstSharerOf(file)}`)
  }
  files.set(name, versionOf(command))
  const version = { group, name, fileId: file.fileId }
  effects.push({ kind: 'file_gone', version, sharers: [...file.sharers] })
  return done
}

export function unshareFile(state: State, command: UnshareFile, effects: Effect[]): Outcome {
  const { group, name, by } = command
  const found = groupForMember(state, group, by)
  if (!found.ok) return found
  if (!found.value.files.has(name)) return refuse('no-such-file', `there is no file ${name} in ${group}`)
  return withdrawShare(group, found.value, name, by, effects)
    ? done
    : refuse('not-shared', `you do not share ${name} in ${group}`)
}

/** Ends one share; a file that nobody shares any more is gone. False when this user did not share it. */
export function withdrawShare(
  groupName: string,
  group: Group,
  name: string,
  user: string,
  effects: Effect[],
): boolean {
  const file = group.files.get(name)
  if (file === undefined || !file.sharers.delete(user)) return false
  const version = { group: groupName, name, fileId: file.fileId }
  if (file.sharers.size > 0) {
    effects.push({ kind: 'share_withdrawn', version, user })
  } else {
    group.files.delete(name)
    effects.push({ kind: 'file_gone', version, sharers: [user] })
  }
  return true
}

function versionOf(command: ShareFile): SharedFile {
  return { fileId: command.fileId, sizeBytes: command.sizeBytes, sharers: new Set([command.by]) }
}
