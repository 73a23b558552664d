// Formats listings, downloads and events as lines. Pure.

import { setImmediate } from 'node:timers/promises'
import { counted } from '../../../common/counted.ts'
import { escapeText } from '../../../common/escape.ts'
import { formatSize } from '../../../common/sizes.ts'
import type { EntryVersion, FileEntry, GroupEntry, Standing } from '../../../common/protocol/listings.ts'
import { eventSentence } from '../../event-sentence.ts'
import { minuteOf } from '../../limit-rules.ts'
import type { ClientEvent, DownloadState, DownloadView, SharedFile } from '../../operations.ts'
import { formatTime } from '../text/amounts.ts'
import { formatTimeOfDay } from '../text/hours.ts'
import type { TreeEntry } from '../../../common/tree/tree.ts'
import type { Line, Tone } from '../../../common/terminal/line.ts'
import { formatSpeed } from '../../../common/rates.ts'
import { displayWidth, fitTo } from '../../../common/terminal/width.ts'
import { isRoundabout, wayText } from '../../way.ts'
import { formatDay } from '../text/days.ts'
import { quoteWord } from '../text/words.ts'

const standings: Record<Standing, string> = {
  owner: 'you are the owner',
  member: 'you are a member',
  requested: 'you have asked to join',
  none: 'you are not a member',
}

export function groupRow(entry: GroupEntry): string[] {
  const cells = [
    entry.group,
    `owner ${entry.owner}`,
    counted(entry.members, 'member'),
    standings[entry.standing],
  ]
  return entry.hidden === true ? [...cells, 'hidden'] : cells
}

/** For people a size is rounded; scripts get bytes. */
export function sizeText(sizeBytes: number, terminal: boolean): string {
  return terminal ? formatSize(sizeBytes) : counted(sizeBytes, 'byte')
}

/** The reply to an upload. */
export function uploadedLines(shared: SharedFile, terminal: boolean): Line[] {
  const { name, group, files, sizeBytes, pieceCount, replaces, skipped } = shared
  const content = [...contentCells(files, sizeBytes, terminal), counted(pieceCount, 'piece')].join(', ')
  const lines = [{ text: `sharing ${files === undefined ? name : `${name}/`} in ${group} (${content})` }]
  if (skipped !== undefined) {
    const more =
      skipped.count > skipped.paths.length ? ` and ${skipped.count - skipped.paths.length} more` : ''
    lines.push({ text: `left out: ${skipped.paths.join(', ')}${more}` })
  }
  // Scripts know one line for a file.
  if (replaces?.version !== undefined && (terminal || files !== undefined)) {
    const since = replaces.atMs === undefined || replaces.atMs === 0 ? '' : ` of ${formatDay(replaces.atMs)}`
    lines.push({ text: `it replaces version ${replaces.version}${since}` })
  }
  // The person may not have meant to replace a file at another path.
  if (replaces?.isElsewhere === true) {
    const where = replaces.path ?? 'another client of yours'
    lines.push({
      text: `it replaces your earlier version (${sizeText(replaces.sizeBytes, terminal)}), shared from ${where}`,
    })
  }
  return lines
}

/**
 * A folder has a slash behind its name, and says how many files it has. `inColumns`: a file among folders leaves that
 * empty, and what is not known of it too.
 */
export function fileRow(entry: FileEntry, terminal: boolean, inColumns = false): string[] {
  const { name, files, sizeBytes, seeders, details } = entry
  const content = contentCells(files, sizeBytes, terminal)
  return [
    files === undefined ? name : `${name}/`,
    ...(inColumns && files === undefined ? ['', ...content] : content),
    counted(seeders, 'seeder'),
    ...(details === undefined ? [] : originCells(details, inColumns)),
  ]
}

/** A version that a name had. */
export function versionRow(version: EntryVersion, terminal: boolean): string[] {
  const [number = '', ...origin] = originCells(version)
  return [number, ...contentCells(version.files, version.sizeBytes, terminal), ...origin]
}

function contentCells(files: number | undefined, sizeBytes: number, terminal: boolean): string[] {
  const size = sizeText(sizeBytes, terminal)
  return files === undefined ? [size] : [counted(files, 'file'), size]
}

/** Which version it is, since when, and from whom; not all of it is known of what came before trackers kept it. */
function originCells(
  { version, atMs, by }: Pick<EntryVersion, 'version' | 'atMs' | 'by'>,
  inColumns = false,
): string[] {
  const cells = [`version ${version}`, atMs === 0 ? '' : formatDay(atMs), by === '' ? '' : `by ${by}`]
  return inColumns ? cells : cells.filter((cell) => cell !== '')
}

/** What is in a folder: `*` behind a file that may be run, "/" behind a folder without anything in it. */
export function treeRow(entry: TreeEntry, terminal: boolean): string[] {
  if (entry.kind === 'folder') return [`${entry.path}/`]
  const { path, kind, sizeBytes, mtimeSeconds } = entry
  const name = kind === 'executable' ? `${path}*` : path
  return [name, sizeText(sizeBytes, terminal), formatDay(mtimeSeconds * 1000)]
}

/** Rows of a table that are made in one go, which takes a few milliseconds. */
const rowsAtOnce = 1000

/** Likewise for more rows than can be made at once: others have their turn in between. */
export async function longTable<T>(
  all: readonly T[],
  rowOf: (one: T) => string[],
  aligned: boolean,
): Promise<Line[]> {
  const widths: number[] = []
  for (let from = 0; from < all.length; from += rowsAtOnce) {
    if (!aligned) break
    widen(widths, escapedRows(all.slice(from, from + rowsAtOnce).map(rowOf)))
    await setImmediate()
  }
  const lines: Line[] = []
  for (let from = 0; from < all.length; from += rowsAtOnce) {
    lines.push(...tableLines(all.slice(from, from + rowsAtOnce).map(rowOf), aligned, widths))
    await setImmediate()
  }
  return lines
}

function escapedRows(rows: readonly (readonly string[])[]): string[][] {
  return rows.map((row) => row.map(escapeText))
}

/** Makes each column at least as wide as its cells. */
function widen(widths: number[], rows: readonly (readonly string[])[]): void {
  for (const row of rows)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, displayWidth(cell))
}

/** Separates cells by two spaces; `aligned` also pads them into columns, for a terminal, at least so wide. */
export function tableLines(
  rows: readonly (readonly string[])[],
  aligned: boolean,
  widths: number[] = [],
): Line[] {
  const escaped = escapedRows(rows)
  widen(widths, escaped)
  const padded = (cell: string, column: number, row: readonly string[]): string =>
    column === row.length - 1 ? cell : fitTo(cell, widths[column] ?? 0)
  return escaped.map((row) => ({
    text: (aligned ? row.map(padded) : row).join('  '),
    hanging: 4,
  }))
}

const marks: Record<DownloadState, { letter: string; tone?: Tone }> = {
  running: { letter: 'D' },
  complete: { letter: 'C', tone: 'good' },
  paused: { letter: 'P', tone: 'waiting' },
  failed: { letter: 'F', tone: 'bad' },
}

function markedLine(state: DownloadState, group: string, name: string, why?: string): Line {
  const mark = marks[state]
  const reason = why === undefined || why === '' ? '' : ` - ${why}`
  return { text: `[${mark.letter}] [${group}] ${name}${reason}`, tone: mark.tone }
}

/** In a pipe; a terminal has a table. */
export function downloadLine(download: DownloadView): Line {
  // The line of a running download is exactly its mark, group and name.
  const why = download.state === 'running' ? undefined : download.why
  return markedLine(download.state, download.group, download.name, why)
}

/** The line below a download: its progress, its speed, and how many pieces each peer sent. */
export function detailLine(download: DownloadView): Line {
  const { piecesDone, pieceCount, bytesPerSecond, piecesByPeer, state, why, priority } = download
  const speed = state === 'running' ? `, ${formatSpeed(bytesPerSecond)}` : ''
  const earlier = piecesDone - piecesByPeer.reduce((all, [, pieces]) => all + pieces, 0)
  const senders = piecesByPeer.map(
    ([peer, pieces, way]) => `${pieces} from ${peer}${isRoundabout(way) ? ` (${wayText(way)})` : ''}`,
  )
  // Of an earlier session, or the list of a folder that was asked for first: otherwise the numbers would not add up.
  if (earlier > 0 && state !== 'complete') senders.push(`${earlier} here before`)
  const from = senders.length === 0 ? '' : `; ${senders.join(', ')}`
  const waits = state === 'running' && why !== undefined ? `, ${why}` : ''
  const rank = state === 'complete' || priority === 'normal' ? '' : `, ${priority} priority`
  return {
    text: `    ${piecesDone} of ${counted(pieceCount, 'piece')}${speed}${rank}${waits}${from}`,
    tone: 'faint',
    hanging: 4,
  }
}

function hourOf(atMs: number): string {
  return formatTimeOfDay(minuteOf(new Date(atMs)))
}

/** A time that is shorter says nothing of the line. */
const shownSecondsMin = 10

/** What a person wants to know of a download that is complete. */
function completeText(sizeBytes: number, seconds: number): string {
  const time = seconds < shownSecondsMin ? undefined : formatTime(seconds)
  return `  ${formatSize(sizeBytes)}${time === undefined ? '' : ` in ${time}`}`
}

/** The line that announces an event; undefined for one that the prompt itself shows. `isTerminal`: to a person. */
export function eventLine(event: ClientEvent, isTerminal: boolean): Line | undefined {
  switch (event.kind) {
    case 'user-changed':
      return undefined
    case 'download-complete': {
      const { text, tone } = markedLine('complete', event.group, event.name)
      return { text: isTerminal ? text + completeText(event.sizeBytes, event.seconds) : text, tone }
    }
    case 'download-failed':
      return markedLine('failed', event.group, event.name, event.why)
    case 'join-requested': {
      const command = `accept_request ${quoteWord(event.group)} ${quoteWord(event.user)}`
      const { user, group, times, sinceMs } = event
      const again =
        times === undefined || sinceMs === undefined ? '' : ` again, ${times} times since ${hourOf(sinceMs)}`
      return { text: `${user} asks to join ${group}${again}; to let them in: ${command}` }
    }
    case 'request-decided':
    case 'removed-from-group':
    case 'became-owner':
    case 'link-used':
    case 'link-ended':
    case 'trackers-lost':
    case 'tracker-back':
    case 'notice':
      break
  }
  return { text: eventSentence(event) }
}
