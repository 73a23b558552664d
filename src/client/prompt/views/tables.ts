// Tables of transfers for a person at a terminal: what is hashed, downloaded and fetched by others. Lines from data and a
// width; pure.

import { counted } from '../../../common/counted.ts'
import { escapeText } from '../../../common/escape.ts'
import { formatSize } from '../../../common/sizes.ts'
import type { DownloadState, DownloadView, HashingView, UploadView, VerifyingView } from '../../operations.ts'
import { bar, bytesOfPieces, formatTime, percentOf, secondsFor } from '../text/amounts.ts'
import type { Line, Tone } from '../../../common/terminal/line.ts'
import { formatSpeed } from '../../../common/rates.ts'
import { cutTo, displayWidth, fitTo } from '../../../common/terminal/width.ts'

/** Below this width a transfer takes two lines. */
const wideFrom = 64
const barMax = 24
const barMin = 10

/** A row: who or what it is, and how it stands. */
interface Row {
  readonly head: string
  readonly tone?: Tone | undefined
  /** Share of the whole, as part and whole; undefined for a row without a bar. */
  readonly done?: readonly [part: number, whole: number]
  readonly cells: readonly string[]
}

const marks: Record<DownloadState, readonly [letter: string, tone: Tone | undefined]> = {
  running: ['D', undefined],
  complete: ['C', 'good'],
  paused: ['P', 'waiting'],
  failed: ['F', 'bad'],
}

/** `[D]`, and so on, with the group and the name. */
export function headOf(letter: string, group: string, name: string): string {
  return escapeText(`[${letter}] [${group}] ${name}`)
}

/** `2 min 10 s left`; empty when that is not known. */
export function timeLeft(bytes: number, bytesPerSecond: number): string {
  const seconds = secondsFor(bytes, bytesPerSecond)
  const time = seconds === undefined ? undefined : formatTime(seconds)
  return time === undefined ? '' : `${time} left`
}

/** Files that are being hashed, each with a bar. */
export function hashingLines(files: readonly HashingView[], columns: number): Line[] {
  return rowLines(files.map(hashingRow), columns)
}

export function downloadLines(downloads: readonly DownloadView[], columns: number): Line[] {
  return rowLines(downloads.map(downloadRow), columns)
}

/** Who fetches what from here. */
export function uploadLines(uploads: readonly UploadView[], columns: number): Line[] {
  return rowLines(
    uploads.map((upload) => ({
      head: escapeText(`${upload.peer} [${upload.group}] ${upload.name}`),
      done: [upload.pieces, upload.pieceCount] as const,
      cells: [formatSpeed(upload.bytesPerSecond), `${formatSize(upload.sentBytes)} sent`],
    })),
    columns,
  )
}

function hashingRow(file: HashingView): Row {
  return { head: headOf('H', file.group, file.name), ...readingCells('hashing', file) }
}

/** What is being read, to share it or to see what is good of it. */
function readingCells(
  what: string,
  { sizeBytes, bytesDone, bytesPerSecond }: VerifyingView,
): Pick<Row, 'done' | 'cells'> {
  const isWaiting = bytesDone === 0 && bytesPerSecond === 0
  const rest = sizeBytes - bytesDone
  return {
    done: [bytesDone, sizeBytes],
    cells: isWaiting ? [what] : [what, formatSpeed(bytesPerSecond), timeLeft(rest, bytesPerSecond)],
  }
}

function downloadRow(download: DownloadView): Row {
  const {
    state,
    group,
    name,
    why = '',
    priority,
    sizeBytes,
    pieceCount,
    piecesDone,
    bytesPerSecond,
  } = download
  const [letter, tone] = marks[state]
  const head = headOf(letter, group, name)
  if (state === 'complete') return { head, tone, cells: [formatSize(sizeBytes)] }
  const done = [piecesDone, pieceCount] as const
  if (state === 'running' && download.verifying !== undefined)
    return { head, tone, ...readingCells('verifying', download.verifying) }
  const rank = priority === 'normal' ? '' : `${priority} priority`
  const waits = escapeText(why)
  if (state !== 'running' || waits !== '') return { head, tone, done, cells: [rank, waits] }
  const left = timeLeft(bytesOfPieces(download).missing, bytesPerSecond)
  const cells = [rank, formatSpeed(bytesPerSecond), left, counted(download.peerCount, 'peer')]
  return { head, tone, done, cells }
}

/** In columns where there is room, else in two lines each. */
function rowLines(rows: readonly Row[], columns: number): Line[] {
  const isWide = columns >= wideFrom
  const widest = Math.max(0, ...rows.map(({ head }) => displayWidth(head)))
  // What the rows say behind the name, with the shortest bar.
  const behind = rows.map(({ done, cells }) => {
    const words = cells.filter((cell) => cell !== '').map((cell) => displayWidth(cell) + 2)
    return words.reduce((sum, width) => sum + width, done === undefined ? 0 : barMin + 9)
  })
  const headWidth = Math.min(widest, Math.max(20, columns - 1 - Math.min(57, Math.max(0, ...behind))))
  const barWidth = isWide
    ? Math.max(barMin, Math.min(barMax, columns - headWidth - 46))
    : Math.max(barMin, Math.min(barMax, columns - 26))
  return rows.flatMap(({ head, tone, done, cells }) => {
    const share =
      done === undefined ? [] : [bar(...done, barWidth), `${String(percentOf(...done)).padStart(3)} %`]
    const rest = [...share, ...cells.filter((cell) => cell !== '')].join('  ')
    if (isWide) return [{ text: cutTo(`${fitTo(head, headWidth)}  ${rest}`, columns - 1), tone }]
    return [
      { text: cutTo(head, columns - 1), tone },
      { text: cutTo(`    ${rest}`, columns - 1), tone: 'faint' as const },
    ]
  })
}
