// Keeps two downloads from writing to one path.

import { refuse, type Answer } from '../../common/refusal.ts'
import { keyOf } from '../file-key.ts'
import type { Download } from './download.ts'
import { partPathOf } from './part-file.ts'

/** Refuses a path that another of the downloads writes to; undefined when none does. */
export function takenBy(
  path: string,
  file: { group: string; name: string },
  downloads: readonly Download[],
): Answer<never> | undefined {
  for (const { record, state } of downloads) {
    if (state === 'complete') continue
    if (record.destination !== path && partPathOf(record.destination) !== path) continue
    // Only a failed download can be this very file. Any other failed download may resume, and two downloads
    // that write to one part file would publish a mixture.
    if (keyOf(record) === keyOf(file)) continue
    const what = `${path} is where ${record.name} is being downloaded to`
    const advice = `; that failed: cancel_download ${record.group} ${record.name}, or choose another name`
    return refuse('local-file', state === 'failed' ? what + advice : what)
  }
  return undefined
}
