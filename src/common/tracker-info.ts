// The tracker_info file: the trackers of a community, one `ip:port` a line.

import { parseAddress, type Address } from './addresses.ts'
import { Failure, sentenceOf } from './failure.ts'

/**
 * The trackers that the file names, at least one. Blank lines and `#` comments are skipped; further fields of a line
 * are reserved. Throws a `usage` failure that names the line, or says why the file cannot be read.
 */
export function readTrackerInfo(file: string, readFile: (path: string) => string): Address[] {
  let text: string
  try {
    text = readFile(file)
  } catch (error) {
    throw new Failure('usage', `cannot read the trackers from ${file}: ${sentenceOf(error)}`, error)
  }
  return parseTrackerInfo(text, file)
}

function parseTrackerInfo(text: string, file: string): Address[] {
  // UTF-16 read as UTF-8.
  if (text.includes('\0')) throw new Failure('usage', `${file} is not UTF-8 text; save it as UTF-8`)
  const trackers: Address[] = []
  // Some editors save a byte order mark.
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const first = line.replace(/#.*/, '').trim().split(/\s+/)[0]
    if (first === undefined || first === '') continue
    try {
      trackers.push(parseAddress(first))
    } catch (error) {
      throw new Failure('usage', `${file}, line ${index + 1}: ${sentenceOf(error)}`, error)
    }
  }
  if (trackers.length === 0) throw new Failure('usage', `${file} names no tracker; write one ip:port a line`)
  return trackers
}
