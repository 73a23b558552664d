// Expands a leading `~` of a typed path to the home folder, as a shell does.

import { homedir } from 'node:os'

/** Expands `~` and `~/…`. A file whose own name is `~` can be typed as `./~`. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? homedir() + path.slice(1) : path
}
