// Keeps two downloads from writing to one path.

import { refuse, type Answer } from '../../common/refusal.ts'
import { downloadName, keyOf, type Fetched } from '../file-key.ts'
import type { Download } from './download.ts'
import { partPathOf } from './part-file.ts'

/** Refuses a path that another of the downloads writes to; undefined when none does. */
export function takenBy(
  path: string,
  file: Fetched,
  downloads: readonly Download[],
): Answer<never> | undefined {
  for (const { record, state } of downloads) {
    if (state === 'complete') continue
    if (record.destination !== path && partPathOf(record.destination) !== path) continue
    // Only a failed download can be this very file. Any other failed download may resume, and two downloads
    // that write to one part file would publish a mixture.
    if (keyOf(record) === keyOf(file)) continue
    const advice = state === 'failed' ? 'choose another name, or cancel that one' : 'choose another name'
    const which = `the ${state} download of ${downloadName(record)} from ${record.group}`
    return refuse('local-file', `${path} belongs to ${which}; ${advice}`)
  }
  return undefined
}
