// One file of a group, as `watch` shows it: a piece map, a line for each peer, and who of the group has it. Lines from
// data and the size of a terminal; pure.

import { counted } from '../../../common/counted.ts'
import { escapeText } from '../../../common/escape.ts'
import { formatSize } from '../../../common/sizes.ts'
import type { AudienceView, EntryView, LackingMember, MapCell, PeerView } from '../../operations.ts'
import { bar, bytesOfPieces, formatTime, percentOf, secondsFor } from '../text/amounts.ts'
import type { Line, ScreenSize } from '../../../common/terminal/line.ts'
import { formatSpeed } from '../../../common/rates.ts'
import { timeLeft } from './tables.ts'
import { wayText } from '../../way.ts'
import { cutTo, displayWidth, fitTo } from '../../../common/terminal/width.ts'

/** Rows of the piece map of a large file. */
const mapRowsMax = 4
const namedMax = 12

export const stateWords: Record<EntryView['state'], string> = {
  running: 'downloading',
  complete: 'complete',
  paused: 'paused',
  failed: 'failed',
  shared: 'shared from here',
}

/** As many lines as fit, none wider than the screen. */
export function entryLines(entry: EntryView, { columns, rows }: ScreenSize): Line[] {
  const before = [...headLines(entry, columns), ...mapLines(entry, columns)]
  const after = entry.audience === undefined ? unknownAudience() : audienceLines(entry.audience, entry)
  const room = Math.max(2, rows - before.length - after.length)
  const lines = [...before, ...peerLines(entry, columns, room), ...after]
  return lines.slice(0, Math.max(1, rows)).map((line) => ({ ...line, text: cutTo(line.text, columns - 1) }))
}

/** Whether there is nothing more to come: the file is whole here, and nobody online is known to lack it. */
export function isSettled({ state, audience }: EntryView): boolean {
  if (state === 'running') return false
  return state !== 'shared' || audience?.lacking.length === 0
}

function headLines(entry: EntryView, columns: number): Line[] {
  const { group, name, sizeBytes, state, why, priority = 'normal', pieceCount, piecesDone } = entry
  const rank = priority === 'normal' ? '' : `, ${priority} priority`
  const reason = why === undefined ? '' : ` - ${escapeText(why)}`
  const share = `${percentOf(piecesDone, pieceCount)} %`
  const isIn = state === 'running'
  const rates = [
    ...(isIn ? [`in ${formatSpeed(entry.bytesInPerSecond)}`] : []),
    `out ${formatSpeed(entry.bytesOutPerSecond)}`,
    ...(isIn ? [timeLeft(bytesOfPieces(entry).missing, entry.bytesInPerSecond)] : []),
  ].filter((part) => part !== '')
  const barWidth = Math.max(10, Math.min(40, columns - 48))
  return [
    {
      text: `${escapeText(name)} in ${escapeText(group)}, ${formatSize(sizeBytes)}: ${stateWords[state]}${rank}${reason}`,
    },
    { text: `${bar(piecesDone, pieceCount, barWidth)} ${share}  ${rates.join('  ')}` },
  ]
}

function mapLines({ map }: EntryView, columns: number): Line[] {
  if (map.length === 0) return []
  const width = Math.max(10, columns - 1)
  const count = map.reduce((all, cell) => all + sum(cell), 0)
  const cells = mergeCells(map, Math.min(map.length, width * mapRowsMax))
  const text = cells.map(mapCharacter).join('')
  const rows: Line[] = []
  for (let at = 0; at < text.length; at += width) rows.push({ text: text.slice(at, at + width) })
  const [have, underWay, available, nowhere] = sumOf(map)
  const hasParts = cells.some((cell) => mapCharacter(cell) === '▄')
  const legend = `█ here ${have}  ${hasParts ? '▄ in part  ' : ''}▒ coming ${underWay}  ░ at peers ${available}  · nowhere ${nowhere}  of ${counted(count, 'piece')}`
  return [...rows, { text: legend, tone: 'faint' }]
}

/** A large file has several pieces in a cell: what is most worth knowing of them is shown. */
export function mapCharacter([have, underWay, available, nowhere]: MapCell): string {
  if (underWay > 0) return '▒'
  if (nowhere > 0 && have === 0 && available === 0) return '·'
  if (available + nowhere === 0) return '█'
  return have > 0 ? '▄' : '░'
}

function mergeCells(map: readonly MapCell[], count: number): MapCell[] {
  return Array.from({ length: count }, (_, at) =>
    sumOf(map.slice(Math.floor((at * map.length) / count), Math.floor(((at + 1) * map.length) / count))),
  )
}

/** Of all these cells together. */
export function sumOf(cells: readonly MapCell[]): MapCell {
  const all: [number, number, number, number] = [0, 0, 0, 0]
  for (const cell of cells) for (const at of [0, 1, 2, 3] as const) all[at] += cell[at]
  return all
}

function sum(cell: MapCell): number {
  return cell[0] + cell[1] + cell[2] + cell[3]
}

/** The busiest first, so that those who are left out matter least. */
function peerLines({ peers, pieceCount }: EntryView, columns: number, room: number): Line[] {
  if (peers.length === 0) return [{ text: 'no peers are connected', tone: 'faint' }]
  const rate = (peer: PeerView): number => peer.bytesInPerSecond + peer.bytesOutPerSecond
  const busiest = peers.toSorted((one, other) => rate(other) - rate(one))
  const isAll = busiest.length <= room - 1
  const shown = isAll ? busiest : busiest.slice(0, Math.max(1, room - 2))
  const names = shown.map(({ peer }) => escapeText(peer))
  // Where it is narrow, the way is left out: `why` says it too.
  const hasWay = columns >= 64
  const rest = hasWay ? 44 : 32
  const width = Math.max(8, Math.min(Math.max(...names.map(displayWidth)), columns - rest))
  const row = (name: string, [has, into, out, way]: readonly [string, string, string, string]): string => {
    const cells = `${fitTo(name, width)}  ${has.padStart(5)} ${into.padStart(11)} ${out.padStart(11)}`
    return hasWay ? `${cells}  ${way}`.trimEnd() : cells
  }
  const lines: Line[] = shown.map(({ pieces, bytesInPerSecond, bytesOutPerSecond, way }, at) => {
    const has = pieces === undefined ? '?' : `${percentOf(pieces, pieceCount)} %`
    const speed = (each: number): string => (each < 1 ? '-' : formatSpeed(each))
    const cells = [has, speed(bytesInPerSecond), speed(bytesOutPerSecond), wayText(way)] as const
    return { text: row(names[at] ?? '', cells) }
  })
  const head = row('peer', ['has', 'in', 'out', 'way'])
  const more: Line[] = isAll
    ? []
    : [{ text: `and ${counted(busiest.length - shown.length, 'more peer')}`, tone: 'faint' }]
  return [{ text: head, tone: 'faint' }, ...lines, ...more]
}

function unknownAudience(): Line[] {
  return [{ text: 'who else has it is not known: no tracker has answered', tone: 'faint' }]
}

function audienceLines(audience: AudienceView, { pieceCount }: EntryView): Line[] {
  const { whole, lacking, absent, absentCount } = audience
  const lines: Line[] = [{ text: `has all of it: ${listed(whole, whole.length) || 'nobody online'}` }]
  if (lacking.length > 0) {
    const latestFirst = lacking.toSorted((one, other) => patience(other) - patience(one))
    lines.push({
      text: `lacks some: ${listed(
        latestFirst.map((one) => lackingText(one, pieceCount)),
        lacking.length,
      )}`,
    })
    lines.push({ text: lastSentence(lacking) })
  }
  if (absentCount > 0)
    lines.push({ text: `has it, but is not online: ${listed(absent, absentCount)}`, tone: 'faint' })
  return lines
}

/** When they will have it, in seconds from now; never where that is not known. */
export function patience({ secondsLeft = Number.POSITIVE_INFINITY }: LackingMember): number {
  return secondsLeft
}

function lackingText({ user, pieces, secondsLeft }: LackingMember, pieceCount: number): string {
  const share = pieces === undefined ? '' : ` ${percentOf(pieces, pieceCount)} %`
  const time = secondsLeft === undefined ? undefined : formatTime(secondsLeft)
  return escapeText(user) + share + (time === undefined ? '' : ` (${time})`)
}

/** Only what is known: one whose rate is not makes the last one unknown. */
export function lastSentence(lacking: readonly LackingMember[]): string {
  const times = lacking.map(patience)
  const last = Math.max(...times)
  const time = Number.isFinite(last) ? formatTime(last) : undefined
  if (time !== undefined) return `the last of them will have it in about ${time}`
  return 'when the last of them will have it is not known yet'
}

function listed(names: readonly string[], count: number): string {
  const shown = names.slice(0, namedMax).map(escapeText)
  const more = count - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** In one line for a pipe, in bytes and seconds. */
export function entryProgress(entry: EntryView): string {
  const { group, name, pieceCount, piecesDone, state, bytesInPerSecond, bytesOutPerSecond, audience } = entry
  const bytes = bytesOfPieces(entry)
  const seconds = secondsFor(bytes.missing, bytesInPerSecond)
  const parts = [
    `${percentOf(piecesDone, pieceCount)} %`,
    `${bytes.done} of ${counted(bytes.all, 'byte')}`,
    ...(state === 'running' ? [`in ${Math.round(bytesInPerSecond)} bytes/s`] : []),
    `out ${Math.round(bytesOutPerSecond)} bytes/s`,
    ...(state === 'running' && seconds !== undefined
      ? [`${counted(Math.ceil(seconds), 'second')} left`]
      : []),
    counted(entry.peers.length, 'peer'),
    ...(audience === undefined
      ? []
      : [counted(audience.lacking.length, 'member online lacks pieces', 'members online lack pieces')]),
  ]
  return `[${group}] ${name}: ${parts.join(', ')}`
}
