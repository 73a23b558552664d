// The tracker_info file: the trackers of a community, one a line: `ip:port` or `name:port`, and the fingerprint of its
// key, by which clients know it.

import { parseRemoteAddress, type Address } from './addresses.ts'
import { Failure, sentenceOf } from './failure.ts'

/** A tracker of the list. */
export interface ListedTracker extends Address {
  /** See `fingerprintOf`; undefined where the line has none. */
  readonly pin?: string | undefined
}

const pinPattern = /^sha256:[A-Za-z0-9_-]{43}$/

/**
 * The trackers that the file names, at least one. Blank lines and `#` comments are skipped; further fields of a line
 * are reserved. Throws a `usage` failure that names the line, or says why the file cannot be read.
 */
export function readTrackerInfo(file: string, readFile: (path: string) => string): ListedTracker[] {
  let text: string
  try {
    text = readFile(file)
  } catch (error) {
    throw new Failure('usage', `cannot read the trackers from ${file}: ${sentenceOf(error)}`, error)
  }
  return parseTrackerInfo(text, file)
}

function parseTrackerInfo(text: string, file: string): ListedTracker[] {
  // UTF-16 read as UTF-8.
  if (text.includes('\0')) throw new Failure('usage', `${file} is not UTF-8 text; save it as UTF-8`)
  const trackers: ListedTracker[] = []
  // Some editors save a byte order mark.
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const [address = '', pin] = line.replace(/#.*/, '').trim().split(/\s+/)
    if (address === '') continue
    try {
      if (pin?.startsWith('sha256:') === true && !pinPattern.test(pin))
        throw new Failure('usage', `"${pin}" is not a fingerprint as a tracker prints it`)
      trackers.push({ ...parseRemoteAddress(address), pin: pinPattern.test(pin ?? '') ? pin : undefined })
    } catch (error) {
      throw new Failure('usage', `${file}, line ${index + 1}: ${sentenceOf(error)}`, error)
    }
  }
  if (trackers.length === 0) throw new Failure('usage', `${file} names no tracker; write one ip:port a line`)
  return trackers
}
