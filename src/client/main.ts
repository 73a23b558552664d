// The entry point of the client: runs the program, with what V8 compiled of it at an earlier start.

import { join } from 'node:path'
import { runWithKeptCode } from '../common/kept-code.ts'
import { version } from '../common/version.ts'
import { setEngineFlags } from './engine-flags.ts'

const folder = process.env['COTERIE_CODE'] ?? ''
// The bundle of program.ts, which is beside this one (scripts/bundles.mjs).
runWithKeptCode(new URL('./program.cjs', import.meta.url), {
  keptIn: folder === '' ? undefined : join(folder, `client-${version}-node-${process.version}.code`),
  // As they are now.
  setFlags: () => setEngineFlags('byDefault'),
})
