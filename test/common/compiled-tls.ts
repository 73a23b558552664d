// The compiled functions for TLS. The gate builds before it tests.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { loadTlsFunctions, type TlsFunctions } from '../../src/common/wire/tls-session.ts'

export const compiledFunctions = loadTlsFunctions(
  fileURLToPath(new URL('../../dist/client/tls-session.node', import.meta.url)),
)

/** Why there may be none here; undefined where they have to be there. */
export const whyNotCompiled =
  spawnSync(process.env['CC'] ?? 'cc', ['--version']).status === 0 ? undefined : 'there is no C compiler here'

export function functions(): TlsFunctions {
  if (compiledFunctions === undefined) throw new Error('it was not compiled')
  return compiledFunctions
}
