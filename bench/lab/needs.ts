// What the lab needs of the machine that it runs on.

import { spawnSync } from 'node:child_process'
import { Namespaces } from '../../test/namespaces.ts'

/** Programs, with the word that makes each say its version, and the package of Debian that has it. */
const programs = [
  ['ip', '-V', 'iproute2'],
  ['nft', '--version', 'nftables'],
  ['sysctl', '--version', 'procps'],
] as const

/** Why there can be no lab here; undefined where there can. */
export function whyNoLab(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'it needs Linux and root'
  for (const [program, word, name] of programs)
    if (spawnSync(program, [word]).status !== 0) return `it needs ${program}: install the package ${name}`
  const spaces = new Namespaces()
  try {
    spaces.add('probe')
    return undefined
  } catch (error) {
    return `no network namespaces can be made: ${(error as Error).message}`
  } finally {
    spaces.close()
  }
}
