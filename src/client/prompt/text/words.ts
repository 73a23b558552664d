// Splits a typed line into words as a shell does, with quotes and backslashes but no variables or globbing.

import type { Answer } from '../../../common/refusal.ts'
import { accept, refuse } from '../../../common/refusal.ts'

// Only these separate words: a file name may contain a no-break or an ideographic space.
const isSpace = (character: string | undefined): boolean => character === ' ' || character === '\t'

/** A quoted part of a word and the position after it; undefined when its quote is not closed. */
type Stretch = { readonly text: string; readonly next: number } | undefined

function singleQuoted(line: string, start: number): Stretch {
  const end = line.indexOf("'", start + 1)
  return end === -1 ? undefined : { text: line.slice(start + 1, end), next: end + 1 }
}

/** Inside double quotes a backslash escapes only the quote and itself, so that Windows paths survive. */
function doubleQuoted(line: string, start: number): Stretch {
  let text = ''
  for (let at = start + 1; at < line.length; at++) {
    const character = line[at]
    if (character === '"') return { text, next: at + 1 }
    const escapes = character === '\\' && (line[at + 1] === '"' || line[at + 1] === '\\')
    if (escapes) at++
    text += line[at]
  }
  return undefined
}

/** Splits a line into words; refuses when a quote is not closed. */
export function splitWords(line: string): Answer<string[]> {
  // No system call accepts a name with NUL, and Node would throw instead of refusing.
  if (line.includes('\0')) return refuse('usage', 'a line cannot contain the character NUL')
  const words: string[] = []
  let word: string | undefined
  for (let at = 0; at < line.length;) {
    const character = line[at] ?? ''
    if (isSpace(character)) {
      if (word !== undefined) words.push(word)
      word = undefined
      at++
    } else if (character === "'" || character === '"') {
      const stretch = character === "'" ? singleQuoted(line, at) : doubleQuoted(line, at)
      if (stretch === undefined) return refuse('usage', `the quote ${character} is not closed`)
      word = (word ?? '') + stretch.text
      at = stretch.next
    } else if (character === '\\') {
      if (at + 1 === line.length)
        return refuse('usage', 'nothing follows the backslash at the end; for a backslash itself, write two')
      word = (word ?? '') + line[at + 1]
      at += 2
    } else {
      word = (word ?? '') + character
      at++
    }
  }
  if (word !== undefined) words.push(word)
  return accept(words)
}

/** The word as it has to be typed: quoted if `splitWords` would otherwise read it differently. */
export function quoteWord(word: string): string {
  if (word !== '' && !/[ \t'"\\]/.test(word) && !word.startsWith('#')) return word
  return `'${word.replaceAll("'", `'\\''`)}'`
}
