// Condenses how the pieces of a file stand into few cells, each for neighbouring pieces. Pure.

import type { Bitfield } from '../../common/bitfield.ts'
import type { MapCell } from '../operations.ts'

/** As many as fit on any screen. */
const cellsMax = 512

/** How one piece stands, as its place in a cell. */
export const mapStandings = ['have', 'under-way', 'available', 'nowhere'] as const
export type MapStanding = (typeof mapStandings)[number]

interface Mapped {
  readonly have: Bitfield
  /** Undefined for all. */
  readonly wanted: Bitfield | undefined
}

/** Of the pieces that are wanted. */
export function mapOf(
  { have, wanted }: Mapped,
  missingStanding: (index: number) => Exclude<MapStanding, 'have'>,
): MapCell[] {
  const standingOf = (index: number): MapStanding => (have.has(index) ? 'have' : missingStanding(index))
  if (wanted === undefined) return pieceMap(have.length, standingOf)
  const shown: number[] = []
  for (let index = 0; index < wanted.length; index++) if (wanted.has(index)) shown.push(index)
  return pieceMap(shown.length, (place) => standingOf(shown[place] ?? 0))
}

/** A cell for each piece, or of large files for as many neighbouring ones as it takes. */
export function pieceMap(pieceCount: number, standingOf: (index: number) => MapStanding): MapCell[] {
  const count = Math.min(pieceCount, cellsMax)
  return Array.from({ length: count }, (_, cell) => {
    const numbers: [number, number, number, number] = [0, 0, 0, 0]
    const end = Math.floor(((cell + 1) * pieceCount) / count)
    for (let index = Math.floor((cell * pieceCount) / count); index < end; index++)
      numbers[mapStandings.indexOf(standingOf(index)) as 0 | 1 | 2 | 3]++
    return numbers
  })
}
