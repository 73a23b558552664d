// What a person types for a part of a folder: the name of the entry, "/", and a path or pattern within it.

import { pathBytesMax } from '../../common/limits.ts'
import { fileNameProblem } from '../../common/names.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'

export interface EntryPath {
  /** Of the entry. */
  readonly name: string
  /** A path or pattern; undefined for all of it. */
  readonly within: string | undefined
}

/** Refuses what names nothing that can be shared. */
export function entryPathOf(typed: string): Answer<EntryPath> {
  // Names are listed in NFC; a name copied from a Mac may be decomposed.
  const spelt = spellingOf(typed)
  const slash = spelt.indexOf('/')
  const name = slash === -1 ? spelt : spelt.slice(0, slash)
  const problem = fileNameProblem(name)
  if (problem !== undefined) return refuse('bad-name', problem)
  if (slash === -1) return accept({ name, within: undefined })
  const within = spelt.slice(slash + 1)
  const names = within.split('/')
  if (names.some((each) => each === '' || each === '.' || each === '..'))
    return refuse('bad-name', `${within} is no path within ${name}; it has names with one "/" between them`)
  if (Buffer.byteLength(within) > pathBytesMax)
    return refuse('bad-name', `a path within a folder has at most ${pathBytesMax} bytes`)
  return accept({ name, within })
}

/** As downloads are named: in NFC, and without a "/" at the end. */
export function spellingOf(typed: string): string {
  return typed.normalize('NFC').replace(/(?<=[^/])\/+$/, '')
}
