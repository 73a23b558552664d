// The entry point of the client: runs the program, with what V8 compiled of it at an earlier start.

import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runWithKeptCode } from '../common/kept-code.ts'
import { version } from '../common/version.ts'
import { compilerFlag } from './compiler-flag.ts'
import { keepShortLivedSmall } from './memory-flag.ts'

/** Kept code counts for a V8 with the same flags only. */
function setFlags(): void {
  const flag = compilerFlag(process.versions.v8)
  if (flag !== undefined) setFlagsFromString(flag)
  keepShortLivedSmall()
}

const folder = process.env['COTERIE_CODE'] ?? ''
setFlags()
// The bundle of program.ts, which is beside this one (scripts/bundles.mjs).
runWithKeptCode(new URL('./program.cjs', import.meta.url), {
  keptIn: folder === '' ? undefined : join(folder, `client-${version}-node-${process.version}.code`),
  setFlags,
})
