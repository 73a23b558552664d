// Finds a path with spaces that was typed without quotes, by looking which neighbouring words are a file or folder together.

import { statSync } from 'node:fs'
import { expandHome } from '../../../common/home-folder.ts'

/** A line with more words than this was not typed as a path. */
const wordsMax = 40

/** At once: what a login finds out about a file meanwhile would be news before the reply. */
export function isThere(path: string): boolean {
  try {
    const stats = statSync(path, { throwIfNoEntry: false })
    return stats !== undefined && (stats.isFile() || stats.isDirectory())
  } catch {
    return false
  }
}

/** What to do about it, as a sentence; undefined where no such words name a file. Several spaces are not found. */
export function unquotedPath(words: readonly string[]): string | undefined {
  const { length } = words
  if (length > wordsMax) return undefined
  // The longest first: `my`, `my photo` and `my photo.jpg` may all be there.
  for (let count = length; count > 1; count--)
    for (let from = 0; from + count <= length; from++) {
      const path = words.slice(from, from + count).join(' ')
      if (isThere(expandHome(path))) return `"${path}" contains a space: put it in quotes`
    }
  return undefined
}
