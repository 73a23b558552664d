// A folder on this machine with its tree: what each piece of its content is read from.

import { layingOut, type Layout } from '../../common/tree/layout.ts'
import type { TreeEntry } from '../../common/tree/tree.ts'
import type { Spellings } from './folder-stamps.ts'
import { inSlices } from './in-slices.ts'
import type { DiskSegment } from './read-segments.ts'

/** What the pieces of a folder are made of. */
export interface FolderTree {
  readonly entries: readonly TreeEntry[]
  /** Of the tree, encoded. */
  readonly bytes: Buffer
  readonly layout: Layout
  readonly spellings: Spellings
}

/** A part of a piece, with the number of its file in the tree. */
export type EntrySegment = DiskSegment & { readonly entry: number }

export class FolderPieces {
  readonly root: string
  readonly tree: FolderTree
  readonly #onDisk: ReadonlyMap<string, string>

  constructor(root: string, tree: FolderTree) {
    this.root = root
    this.tree = tree
    this.#onDisk = new Map(tree.spellings)
  }

  /** Of a piece behind those of the tree. */
  segmentsOf(piece: number): EntrySegment[] {
    return this.tree.layout
      .segmentsOf(piece)
      .map(({ entry, offset, length }) => ({ entry, offset, length, path: this.pathOf(entry) }))
  }

  /** On disk, within the folder. */
  pathOf(entry: number): string {
    const path = this.tree.entries[entry]?.path ?? ''
    return this.#onDisk.get(path) ?? path
  }
}

/** Undefined when it would have more pieces than a folder may. */
export async function folderTree(
  entries: readonly TreeEntry[],
  bytes: Buffer,
  spellings: Spellings,
): Promise<FolderTree | undefined> {
  const layout = await inSlices(layingOut(entries, bytes.length))
  return layout && { entries, bytes, layout, spellings }
}
