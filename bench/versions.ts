// npm run bench:versions [-- <words>]
// What comes over the line when a new version replaces an old one, beside what rsync --no-whole-file moves for the same
// pair, and how long it takes beside cp: in all, and from when the old version is hashed and the pieces of it that are the
// same are copied. `words`: only pairs with one of them in their names. Needs rsync (Linux).
// Bounds: 1.15 times rsync, and 1 % of the whole where hardly anything changed.

import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Program } from '../src/demo/program.ts'
import { group, inArena, percentile, type Arena } from './arena.ts'
import { CountedLine, freePort } from './versions/counted-line.ts'
import { pairs, type Pair } from './versions/pairs.ts'

const bound = 1.15
const only = process.argv.slice(2)

interface Ends {
  readonly sharer: Program
  readonly fetcher: Program
  readonly line: CountedLine
}

/** Not what is said of an old version that is gone. */
function isShared(line: string): boolean {
  return line.startsWith('sharing ')
}

function sizeOf(path: string): number {
  return Number(execFileSync('du', ['-sb', path], { encoding: 'utf8' }).split('\t')[0])
}

function timed(work: () => void): number {
  const startedAtMs = performance.now()
  work()
  return performance.now() - startedAtMs
}

/** The median of three copies. */
function copyTime(path: string): number {
  const timesMs = Array.from({ length: 3 }, () => {
    const tookMs = timed(() => execFileSync('cp', ['-r', path, `${path}.copy`]))
    rmSync(`${path}.copy`, { recursive: true })
    return tookMs
  })
  return percentile(
    timesMs.toSorted((one, other) => one - other),
    0.5,
  )
}

/** Bytes that rsync sends and receives to make the old version the new one. */
function rsyncBytes(before: string, after: string, isFolder: boolean): number {
  const copy = `${before}.rsync`
  execFileSync('cp', ['-a', before, copy])
  const slash = isFolder ? '/' : ''
  const words = [
    '-a',
    '--no-whole-file',
    '--ignore-times',
    '--stats',
    '--delete',
    after + slash,
    copy + slash,
  ]
  const stats = execFileSync('rsync', words, { encoding: 'utf8' })
  execFileSync('diff', ['-r', after, copy])
  rmSync(copy, { recursive: true })
  const figure = (name: string): number =>
    Number(new RegExp(`${name}: ([\\d,]+)`).exec(stats)?.[1]?.replaceAll(',', ''))
  return figure('Total bytes sent') + figure('Total bytes received')
}

async function measure(
  arena: Arena,
  pair: Pair,
  number: number,
  { sharer, fetcher, line }: Ends,
): Promise<void> {
  const name = `pair-${number}`
  const [before, after] = [join(arena.folder, name), join(arena.folder, `${name}.after`)]
  pair.make(before, after)
  const isFolder = pair.what.startsWith('folder')
  const theirs = rsyncBytes(before, after, isFolder)
  const here = join(arena.folder, 'here', name)
  execFileSync('mkdir', ['-p', join(arena.folder, 'here')])
  execFileSync('cp', ['-a', before, here])
  await sharer.say(`upload_file "${before}" ${group}`, isShared)
  rmSync(before, { recursive: true })
  execFileSync('cp', ['-a', after, before])
  const isRenamed = pair.what.endsWith('renamed')
  const target = isRenamed ? `${here}.new` : here
  const option = isRenamed ? `--from "${here}"` : '--overwrite'
  await sharer.say(`upload_file "${before}" ${group}`, isShared)
  const copyMs = copyTime(after)
  line.bytes = 0
  const startedAtMs = performance.now()
  // The destination of a folder is the one that it goes into.
  const destination = isFolder ? join(arena.folder, 'here') : target
  await fetcher.say(`download_file ${group} ${name} "${destination}" ${option}`)
  let hashedAtMs = startedAtMs
  await fetcher.next((text) => {
    if (text.includes(' are taken from ')) hashedAtMs = performance.now()
    return text.startsWith(`[C] [${group}] ${name}`)
  })
  const endedAtMs = performance.now()
  execFileSync('diff', ['-r', after, target])
  const ours = line.bytes
  const whole = sizeOf(after)
  const isWithin = ours <= bound * theirs && ours <= (pair.shareMax ?? 1) * whole
  console.log(
    `${pair.what.padEnd(30)} ${mebibytes(whole)}  ${mebibytes(ours)} (${percent(ours / whole)})  rsync ${mebibytes(theirs)}:` +
      ` ${(ours / theirs).toFixed(2)} x, ${isWithin ? 'within' : 'OVER'}   ${(endedAtMs - startedAtMs).toFixed(0)} ms, ${(endedAtMs - hashedAtMs).toFixed(0)} ms` +
      ` of it with the old version known; cp ${copyMs.toFixed(0)} ms`,
  )
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(2).padStart(6)} MiB`
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`
}

await inArena(async (arena) => {
  const line = await CountedLine.open()
  line.targetPort = await freePort()
  const advertised = ['--advertise', `127.0.0.1:${line.port}`]
  const sharer = await arena.startMember('sharer', advertised, line.targetPort)
  const fetcher = await arena.startMember('fetcher')
  for (const [number, pair] of pairs.entries()) {
    if (only.length > 0 && !only.some((word) => pair.what.includes(word))) continue
    await measure(arena, pair, number, { sharer, fetcher, line })
  }
  line.close()
})
