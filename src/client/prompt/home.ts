// `~` in front of a path that was typed: the home folder, as in a shell.

import { homedir } from 'node:os'

/** The path that is meant. A file whose own name begins with `~` is `./~name`. */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? homedir() + path.slice(1) : path
}
