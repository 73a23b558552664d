// Which command somebody may have meant who typed something else. Pure.

import { allCommands } from './commands/program.ts'

/** What the same is called elsewhere. */
const synonyms: ReadonlyMap<string, readonly string[]> = new Map([
  ['ls', ['list_files', 'list_groups']],
  ['dir', ['list_files', 'list_groups']],
  ['status', ['show_downloads', 'whoami']],
  ['ps', ['show_downloads']],
  ['cls', ['clear']],
  ['get', ['download_file']],
  ['fetch', ['download_file']],
  ['put', ['upload_file']],
  ['upload', ['upload_file']],
  ['download', ['download_file']],
  ['share', ['upload_file']],
  ['add', ['upload_file']],
  ['rm', ['stop_share']],
  ['unshare', ['stop_share']],
  ['register', ['create_user']],
  ['signup', ['create_user']],
  ['signin', ['login']],
  ['passwd', ['change_password']],
  ['signout', ['logout']],
  ['logoff', ['logout']],
  ['q', ['quit']],
  ['bye', ['quit']],
  ['who', ['whoami', 'list_members']],
  ['kick', ['remove_member']],
  ['approve', ['accept_request']],
  ['deny', ['reject_request']],
  ['continue', ['resume_download']],
  ['stop', ['pause_download', 'stop_share', 'quit']],
  ['man', ['help']],
  ['commands', ['help']],
])

/** More would be a list, which is what help is for. */
const suggestedMax = 4

/** Names of commands that begin with this, mean the same, or have the word in them; best first, a few. */
export function suggestionsFor(typed: string): string[] {
  const name = typed.toLowerCase().replaceAll('-', '_')
  const meant = synonyms.get(name)
  if (meant !== undefined) return [...meant]
  // One or two letters are in everything.
  const isLong = name.length > 2
  const names = allCommands.map((command) => command.name)
  const found = new Set([
    ...names.filter((each) => each.toLowerCase() === name),
    ...(isLong ? names.filter((each) => each.startsWith(name)) : []),
    ...(isLong ? names.filter((each) => each.split('_').some((word) => isAlike(word, name))) : []),
  ])
  return [...found].slice(0, suggestedMax)
}

/** The same word, in the singular or the plural. */
function isAlike(word: string, other: string): boolean {
  const stem = (text: string): string => text.replace(/s$/, '')
  return stem(word) === stem(other)
}

/** As a question: `did you mean a, b or c?` */
export function didYouMean(names: readonly string[]): string {
  const last = names.at(-1) ?? ''
  return `did you mean ${names.length > 1 ? `${names.slice(0, -1).join(', ')} or ${last}` : last}?`
}
