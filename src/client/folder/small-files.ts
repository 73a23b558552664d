// Makes many small files with one call, where the build could compile small-files.c.

import { createRequire } from 'node:module'

/** See small-files.c. Throws a TypeError for names and facts that do not go together. */
export type WriteFiles = (
  folder: number,
  names: Uint8Array,
  facts: Float64Array,
  content: Uint8Array,
  failure: Int32Array,
) => number

/** The compiled function, where there is one; found beside this file, or beside the bundle that contains it. */
export const writeFilesAtOnce: WriteFiles | undefined = loadWriteFiles('./small-files.node')

/** The compiled function at `path`; undefined when it is missing or is another one. */
export function loadWriteFiles(path: string): WriteFiles | undefined {
  try {
    const compiled = createRequire(import.meta.url)(path) as { readonly writeFiles?: WriteFiles }
    return compiled.writeFiles
  } catch {
    return undefined
  }
}
