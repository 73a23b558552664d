// Where the bytes of a file lie in the pieces of its folder. Pieces hold small files first, several in one, and then large
// ones, each in the order of the tree: so the place is found by halving, also among a million files.

import { pieceBytes } from '../../common/limits.ts'
import type { FolderContents } from '../folder/folder-contents.ts'

export interface FilePlace {
  /** Its number in the tree. */
  readonly entry: number
  readonly sizeBytes: number
  /** The piece that it begins in, and where there, in bytes. */
  readonly firstPiece: number
  readonly offset: number
}

/** Undefined where there is no such file. */
export function placeOf({ entries, layout }: FolderContents, path: string): FilePlace | undefined {
  const entry = entries.findIndex((each) => each.path === path)
  const file = entries[entry]
  if (file === undefined || file.kind === 'folder') return undefined
  const { sizeBytes } = file
  if (sizeBytes === 0) return { entry, sizeBytes, firstPiece: 0, offset: 0 }
  /** Whether the piece begins behind the beginning of the file. */
  const isBehind = (index: number): boolean => {
    const [first] = layout.segmentsOf(index)
    if (first === undefined) throw new Error('each piece of files has one')
    const other = entries[first.entry]
    const isLarge = other !== undefined && other.kind !== 'folder' && other.sizeBytes >= pieceBytes
    if (isLarge !== sizeBytes >= pieceBytes) return isLarge
    return first.entry > entry || (first.entry === entry && first.offset > 0)
  }
  let low = layout.treePieces
  let high = layout.lengths.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (isBehind(middle)) high = middle - 1
    else low = middle
  }
  let offset = 0
  for (const segment of layout.segmentsOf(low)) {
    if (segment.entry === entry) return { entry, sizeBytes, firstPiece: low, offset }
    offset += segment.length
  }
  throw new Error('a file lies in the pieces of its folder')
}
