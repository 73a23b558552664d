// What is in a folder that is fetched, by its tree, and whether its pieces are laid out for that.

import { Failure } from '../../common/failure.ts'
import type { FolderFacts } from '../../common/manifest.ts'
import type { Layout } from '../../common/tree/layout.ts'
import type { TreeEntry } from '../../common/tree/tree.ts'

export interface FolderContents {
  readonly entries: readonly TreeEntry[]
  readonly layout: Layout
}

/** Whether the tree is that of the pieces: so many files, laid out in pieces of these lengths. */
export function isThatOfPieces(
  { entries, layout }: FolderContents,
  { files, offsets }: FolderFacts,
): boolean {
  const { lengths } = layout
  return (
    lengths.length === offsets.length - 1 &&
    lengths.every((length, index) => length === (offsets[index + 1] ?? 0) - (offsets[index] ?? 0)) &&
    entries.filter(({ kind }) => kind !== 'folder').length === files
  )
}

/** Of a folder with a tree that is none, or not that of its pieces. */
export function cannotBeFetched(problem: string): Failure {
  return new Failure('protocol', `it cannot be fetched: ${problem}`)
}

export const notThatOfPieces = 'the list of its files is not that of its pieces'
