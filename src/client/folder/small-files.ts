// Makes and reads many small files with one call, where the build could compile small-files.c.

import { compiledFile, loadCompiled } from '../../common/compiled-file.ts'
import type { FolderStamps } from './folder-stamps.ts'

/** See small-files.c. Both throw a TypeError for what does not go together. */
export interface SmallFiles {
  readonly writeFiles: (
    folder: number,
    names: Uint8Array,
    facts: Float64Array,
    content: Uint8Array,
    failure: Int32Array,
  ) => number
  readonly readFiles: (
    root: Uint8Array,
    paths: Uint8Array,
    places: Float64Array,
    stamps: FolderStamps,
    into: Uint8Array,
    odd: Uint8Array,
  ) => number
}

/** The compiled functions, where there are such. */
export const smallFiles: SmallFiles | undefined = loadSmallFiles(compiledFile('small-files.node'))

/** The compiled functions at `path`; undefined when they are missing or are others. */
export function loadSmallFiles(path: string): SmallFiles | undefined {
  const { writeFiles, readFiles } = loadCompiled<SmallFiles>(path)
  return writeFiles && readFiles && { writeFiles, readFiles }
}
