// What a path inside a shared folder may be: names with "/" between them, each one that a file of its own might have.
// Paths from outside are rejected, never repaired, so that nothing is ever written outside the folder.

import { pathBytesMax, pathDepthMax } from '../limits.ts'
import { fileNameProblem, isReadableFileName } from '../names.ts'

/** Why no folder may have this path in it, as a sentence; undefined when it may. For what is about to be shared. */
export function pathProblem(path: string): string | undefined {
  const names = path.split('/')
  const problem = pathBoundsProblem(path, names.length)
  if (problem !== undefined) return problem
  for (const name of names) {
    const why = fileNameProblem(name)
    if (why !== undefined) return `${path}: ${why}`
  }
  return undefined
}

/** Likewise for what comes from others, whose version may allow other names. */
export function foreignPathProblem(path: string): string | undefined {
  const names = path.split('/')
  const problem = pathBoundsProblem(path, names.length)
  if (problem !== undefined) return problem
  return names.every(isReadableFileName) ? undefined : `${path} is not a path within a folder`
}

/** Why a path is too long, as a sentence; undefined when it is not. `depth`: how many names it has. */
export function pathBoundsProblem(path: string, depth: number): string | undefined {
  // A character takes at most three bytes for each unit of UTF-16.
  if (path.length > pathBytesMax / 3 && Buffer.byteLength(path) > pathBytesMax)
    return `the path ${path.slice(0, 60)}… is longer than ${pathBytesMax} bytes`
  if (depth > pathDepthMax) return `the path ${path.slice(0, 60)}… has more than ${pathDepthMax} names`
  return undefined
}

/**
 * Compares paths so that what is in a folder comes together, and right behind a name that would stand in its way: as if
 * "/" came before all other characters. By code unit, so that every machine has the same order.
 */
export function comparePaths(one: string, other: string): number {
  const length = Math.min(one.length, other.length)
  for (let at = 0; at < length; at++) {
    const left = one.charCodeAt(at)
    const right = other.charCodeAt(at)
    if (left === right) continue
    if (left === slash) return -1
    if (right === slash) return 1
    return left - right
  }
  return one.length - other.length
}

const slash = '/'.charCodeAt(0)

/** Finds names in one folder that some systems take for the same: they differ in case alone. Fed in their order. */
export class SameNames {
  /** For each folder on the way to the last path, the names in it as seen so far, by how they look in lower case. */
  readonly #seen = [new Map<string, string>()]
  #last: readonly string[] = []

  /** A sentence when a name on this path is taken for one before it. */
  add(path: string): string | undefined {
    const names = path.split('/')
    let same = 0
    while (same < names.length - 1 && same < this.#last.length - 1 && names[same] === this.#last[same]) same++
    this.#seen.length = same + 1
    for (let depth = same; depth < names.length; depth++) {
      const name = names[depth] ?? ''
      const seen = (this.#seen[depth] ??= new Map())
      const folded = name.toUpperCase().toLowerCase()
      const before = seen.get(folded)
      if (before !== undefined && before !== name)
        return `${names.slice(0, depth + 1).join('/')} and ${before} differ in nothing but upper and lower case`
      seen.set(folded, name)
    }
    this.#last = names
    return undefined
  }
}
