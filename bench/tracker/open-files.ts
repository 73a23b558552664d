// Whether this machine allows as many connections as a part of a benchmark wants.

import { readFileSync } from 'node:fs'

/** Files that a process has open besides its connections, generously. */
const others = 200

/**
 * Why a process cannot have so many connections here, as a sentence. Node raises its soft limit of open files itself,
 * not the hard one.
 */
export function problemWithOpenFiles(connections: number): string | undefined {
  const hard = /Max open files\s+\S+\s+(\S+)/.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  const most = hard === 'unlimited' ? Infinity : Number(hard)
  const needed = connections + others
  return most >= needed
    ? undefined
    : `a limit of open files above ${needed}, it is ${hard}: ulimit -Hn ${needed} as root, or LimitNOFILE`
}
