// What the lab needs of the machine that it runs on.

import { spawnSync } from 'node:child_process'
import { whyNoNamespaces } from '../../test/namespaces.ts'

/** Programs, with the word that makes each say its version, and the package of Debian that has it. */
const programs = [
  ['nft', '--version', 'nftables'],
  ['sysctl', '--version', 'procps'],
] as const

/** Why there can be no lab here; undefined where there can. */
export function whyNoLab(): string | undefined {
  const [missing] = programs.filter(([program, word]) => spawnSync(program, [word]).status !== 0)
  const why = missing && `it needs ${missing[0]}: install the package ${missing[2]}`
  return whyNoNamespaces() ?? why
}
