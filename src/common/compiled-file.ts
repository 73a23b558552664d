// Where the parts in C are, for the modules that load them.

import { join } from 'node:path'

/**
 * The path of a compiled file: in the folder that the launcher of the npm package names, else beside the module, or beside
 * the bundle that contains it (scripts/bundles.mjs).
 */
export function compiledFile(name: string): string {
  const folder = process.env['COTERIE_COMPILED']
  return folder === undefined ? `./${name}` : join(folder, name)
}
