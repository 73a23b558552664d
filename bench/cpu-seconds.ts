// Processor time of programs, as the system counts it (Linux).

import { readdirSync, readFileSync } from 'node:fs'

const ticksPerSecond = 100

/** In user and kernel mode, all threads together. */
export function cpuSecondsOf(pid: number | undefined): number {
  const { user, kernel } = statOf(String(pid))
  return (user + kernel) / ticksPerSecond
}

/** Of all processes of the browser that this one has started: it has one for each tab, and more. */
export function cpuSecondsOfBrowser(): number {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [{ pid: Number(pid), ...statOf(pid) }]
      } catch {
        // It has just ended.
        return []
      }
    })
  const own = new Set([process.pid])
  // Parents are not listed before their children where numbers were used again.
  for (let before = 0; before < own.size;) {
    before = own.size
    for (const { pid, parent, name } of all) if (own.has(parent) && name.startsWith('chrom')) own.add(pid)
  }
  const ticks = all
    .filter(({ pid }) => own.has(pid) && pid !== process.pid)
    .reduce((sum, { user, kernel }) => sum + user + kernel, 0)
  return ticks / ticksPerSecond
}

function statOf(pid: string): { name: string; parent: number; user: number; kernel: number } {
  const [, name = '', rest = ''] =
    /^\d+ \((.*)\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
  const fields = rest.split(' ').map(Number)
  return { name, parent: fields[1] ?? 0, user: fields[11] ?? 0, kernel: fields[12] ?? 0 }
}
