// How far something is, in one line for a log: in bytes and seconds. Pure.

import { counted } from '../../../common/counted.ts'
import type { DownloadView, HashingView } from '../../operations.ts'
import { bytesOfPieces, percentOf, secondsFor } from '../text/amounts.ts'
import type { Progress } from './command.ts'

export function hashingProgress({ name, bytesDone, sizeBytes, bytesPerSecond }: HashingView): Progress {
  return progressOf(`hashing ${name}`, bytesDone, sizeBytes, bytesPerSecond)
}

/** Looks at these downloads: how far those are together that ever were seen to run; undefined for none. */
export function downloadsLook(
  downloads: () => Promise<readonly DownloadView[]>,
): () => Promise<Progress | undefined> {
  // One that is complete counts on: the share of the whole would fall.
  const waitedFor = new Set<string>()
  return async () => {
    const all = await downloads()
    for (const one of all) if (one.state === 'running') waitedFor.add(keyOf(one))
    return downloadsProgress(all.filter((one) => waitedFor.has(keyOf(one))))
  }
}

function keyOf({ group, name }: DownloadView): string {
  return `${group} ${name}`
}

function downloadsProgress(downloads: readonly DownloadView[]): Progress | undefined {
  const [first, ...others] = downloads
  if (first === undefined) return undefined
  if (first.verifying !== undefined && others.length === 0) {
    const { bytesDone, sizeBytes, bytesPerSecond } = first.verifying
    return progressOf(`verifying ${first.name}`, bytesDone, sizeBytes, bytesPerSecond)
  }
  const what =
    downloads.length === 1 ? `[${first.group}] ${first.name}` : counted(downloads.length, 'download')
  const sum = (of: (download: DownloadView) => number): number =>
    downloads.reduce((all, download) => all + of(download), 0)
  return progressOf(
    what,
    sum((download) => bytesOfPieces(download).done),
    sum((download) => bytesOfPieces(download).all),
    sum(({ bytesPerSecond }) => bytesPerSecond),
  )
}

function progressOf(what: string, doneBytes: number, sizeBytes: number, bytesPerSecond: number): Progress {
  const percent = percentOf(doneBytes, sizeBytes)
  const seconds = secondsFor(sizeBytes - doneBytes, bytesPerSecond)
  const left = seconds === undefined ? '' : `, ${counted(Math.ceil(seconds), 'second')} left`
  const sentence = `${what}: ${percent} %, ${doneBytes} of ${counted(sizeBytes, 'byte')}, ${Math.round(bytesPerSecond)} bytes/s${left}`
  return { percent, sentence }
}
