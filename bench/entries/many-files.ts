// What the parts of bench:entries share: a folder of many small files, and how times are taken and printed.

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface ManyFiles {
  readonly count: number
  readonly kibibytes: number
}

const perFolder = 1000

export const memoryBoundMiB = 250

/** Files with random bytes, a thousand to a folder. */
export function makeFiles(folder: string, { count, kibibytes }: ManyFiles): void {
  const bytes = randomBytes(kibibytes * 1024)
  for (let file = 0; file < count; file++) {
    const inside = join(folder, `part ${Math.floor(file / perFolder)}`)
    if (file % perFolder === 0) mkdirSync(inside, { recursive: true })
    // Makes each file another one at little cost.
    bytes.writeUInt32LE(file)
    writeFileSync(join(inside, `file ${file}.bin`), bytes)
  }
}

/** Milliseconds. */
export async function timed(work: () => unknown): Promise<number> {
  const startedAtMs = performance.now()
  await work()
  return performance.now() - startedAtMs
}

/** What one program has left to be written is not to be waited for by the next. */
export function settleDisk(): void {
  execFileSync('sync')
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? NaN
}

export function text(values: readonly number[]): string {
  return `${(median(values) / 1000).toFixed(2)} s  (${values.map((ms) => (ms / 1000).toFixed(2)).join(', ')})`
}

/** A line with a figure and its bound. */
export function line(what: string, figure: number, bound: number, unit = '', digits = 2): string {
  const verdict = figure <= bound ? 'within' : 'OVER'
  return `${what.padEnd(20)}= ${figure.toFixed(digits)}${unit}, ${verdict} ${bound}${unit}`
}
