// What users, groups and files may be called. Names from outside are rejected, never repaired:
// a repaired name is a different name, and two people would disagree on which file they mean.

import * as v from 'valibot'
import { fileNameBytesMax } from './limits.ts'

const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/

/** Why a name of a user or group cannot be one, as a sentence; undefined when it can. */
export function plainNameProblem(kind: 'user' | 'group', name: string): string | undefined {
  if (plainName.test(name)) return undefined
  return `a ${kind} name has 1 to 32 letters, digits, dots, dashes or underscores, and starts with a letter or digit`
}

// Control characters, line and paragraph separators, bidirectional marks and overrides, zero-width
// characters, byte order marks: all of them make a name look like another one, or a line like two.
// eslint-disable-next-line no-control-regex
const deceptive = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u

/** Why a name cannot be the name of a shared file, as a sentence; undefined when it can. */
export function fileNameProblem(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..') return 'a file needs a name'
  if (/[/\\]/.test(name)) return 'a file name has no path separators'
  if (!name.isWellFormed()) return 'a file name is valid Unicode'
  if (deceptive.test(name)) return 'a file name has no control or invisible characters'
  if (name.normalize('NFC') !== name) return 'a file name is in Unicode normal form C; rename the file'
  if (Buffer.byteLength(name) > fileNameBytesMax) return `a file name has at most ${fileNameBytesMax} bytes`
  return undefined
}

export const UserName = v.pipe(v.string(), v.regex(plainName, 'is not a user name'))
export const GroupName = v.pipe(v.string(), v.regex(plainName, 'is not a group name'))
export const FileName = v.pipe(
  v.string(),
  v.check((name) => fileNameProblem(name) === undefined, 'is not a file name'),
)
