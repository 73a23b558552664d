// What users, groups and files may be called. Names from outside are rejected, never repaired: a repaired name is a
// different name, and two people would disagree on which file they mean.

import * as v from 'valibot'
import { fileNameBytesMax } from './limits.ts'
import { firstUnseen } from './unseen.ts'

const plainName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/

/** Whether this may be the name of a user or group. Always the same rule, in every version. */
export function isPlainName(name: string): boolean {
  return plainName.test(name)
}

/** Why this cannot be the name of a user or group, as a sentence; undefined when it can. */
export function plainNameProblem(kind: 'user' | 'group', name: string): string | undefined {
  if (isPlainName(name)) return undefined
  return `a ${kind} name has 1 to 32 letters, digits, dots, dashes or underscores, and starts with a letter or digit`
}

/**
 * Why a file cannot be shared under this name, as a sentence; undefined when it can.
 *
 * Valid names that look the same differ in letters that look alike, such as the Latin and the Cyrillic a: invisible
 * characters are allowed only as joiners where RFC 5892 permits them and inside emoji, neither end is blank, and the
 * spelling is normal form C.
 */
export function fileNameProblem(name: string): string | undefined {
  if (name === '') return 'a file needs a name'
  if (name === '.' || name === '..') return `${name} names a folder, not a file`
  const bytes = Buffer.byteLength(name)
  if (bytes > fileNameBytesMax)
    return `a file name has at most ${fileNameBytesMax} bytes in UTF-8, and this one has ${bytes}; rename the file`
  const found = badCharacter(name)
  if (found !== undefined) {
    const position = Array.from(name.slice(0, found.index)).length + 1
    return `character ${position} of "${name}" is ${found.what}; rename the file without it`
  }
  const edge = new RegExp(`^${blank}|${blank}$`, 'u').exec(name)
  if (edge !== null) {
    const side = edge.index === 0 ? 'begins' : 'ends'
    return `"${name}" ${side} with a blank (${codeOf(edge[0])}); rename the file without it`
  }
  if (name.normalize('NFC') !== name) return `"${name}" is not in Unicode normal form C; rename the file`
  return undefined
}

/** A blank at either end of a name: white space, and the blank of Braille. */
const blank = String.raw`[\p{White_Space}\u2800]`

/** What no name may contain, and what to call it. */
const bad: readonly (readonly [RegExp, what: string])[] = [
  [/[/\\]/u, 'a path separator'],
  [/\p{Cc}/u, 'a control character'],
  [/[\p{Zl}\p{Zp}]/u, 'a line separator'],
  [/\p{Cs}/u, 'half of a character'],
  [/\p{Noncharacter_Code_Point}/u, 'not a character'],
]

function badCharacter(name: string): { index: number; what: string } | undefined {
  for (const [pattern, what] of bad) {
    const match = pattern.exec(name)
    if (match !== null) return { index: match.index, what: `${what} (${codeOf(match[0])})` }
  }
  const unseen = firstUnseen(name)
  if (unseen === undefined) return undefined
  const { character, index } = unseen
  const what = /\p{Bidi_Control}/u.test(character)
    ? 'invisible and changes the direction of text'
    : 'invisible'
  const called = /\p{Variation_Selector}/u.test(character) ? 'variation selector' : unseenNames.get(character)
  return { index, what: `${what} (${codeOf(character)}${called === undefined ? '' : `, ${called}`})` }
}

/** The most common ones. */
const unseenNames: ReadonlyMap<string, string> = new Map([
  ['\u00ad', 'soft hyphen'],
  ['\u034f', 'combining grapheme joiner'],
  ['\u115f', 'Hangul filler'],
  ['\u1160', 'Hangul filler'],
  ['\u200b', 'zero-width space'],
  ['\u200c', 'zero-width non-joiner'],
  ['\u200d', 'zero-width joiner'],
  ['\u2060', 'word joiner'],
  ['\u3164', 'Hangul filler'],
  ['\ufeff', 'byte order mark'],
  ['\uffa0', 'Hangul filler'],
])

function codeOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}

// Control characters, line and paragraph separators, bidirectional marks and overrides, zero-width
// characters, byte order marks.
// eslint-disable-next-line no-control-regex
const deceptive = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u

/**
 * Whether any version could have shared a file under this name, so that it may be in a log. Asks no table of Unicode:
 * those differ between versions of Node, and the trackers of a log must agree.
 */
export function couldBeFileName(name: string): boolean {
  return (
    name !== '' &&
    name !== '.' &&
    name !== '..' &&
    (name.length <= fileNameBytesMax / 3 || Buffer.byteLength(name) <= fileNameBytesMax) &&
    name.isWellFormed() &&
    !/[/\\]/.test(name) &&
    !deceptive.test(name)
  )
}

/**
 * Whether a message or a data file may contain this name: any that can be shared today, or could be in an earlier
 * version and so may still be in a log or data folder.
 */
export function isReadableFileName(name: string): boolean {
  return couldBeFileName(name) && name.normalize('NFC') === name
}

export const UserName = v.pipe(v.string(), v.regex(plainName, 'is not a user name'))
export const GroupName = v.pipe(v.string(), v.regex(plainName, 'is not a group name'))
export const FileName = v.pipe(v.string(), v.check(isReadableFileName, 'is not a file name'))
