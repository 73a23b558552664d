// Where the parts in C are, and loading them.

import { createRequire } from 'node:module'
import { join } from 'node:path'

/**
 * The path of a compiled file: in the folder that the launcher of the npm package names, else beside the module, or beside
 * the bundle that contains it (scripts/bundles.mjs).
 */
export function compiledFile(name: string): string {
  const folder = process.env['COTERIE_COMPILED']
  return folder === undefined ? `./${name}` : join(folder, name)
}

/** What the compiled file at `path` exports; nothing when it is missing, or this Node cannot load it. */
export function loadCompiled<Exports>(path: string): Partial<Exports> {
  try {
    return createRequire(import.meta.url)(path) as Partial<Exports>
  } catch {
    return {}
  }
}
