// The Debian package, built as `npm run deb` does, and what is in it.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../packaging/deb.mjs', import.meta.url))

/** Why it cannot be built here, for the titles of tests; empty where it can. */
export const noPackaging = ['dpkg-deb', 'cc', 'strip', 'objdump'].every(
  (name) => spawnSync(name, ['--version']).status === 0,
)
  ? ''
  : ' (skipped: needs dpkg-deb, a C compiler and binutils)'

/** Resolves to the path of the package. `words`: options of the script. Throws with what it said. */
export function buildPackage(words: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const built = spawnSync(process.execPath, [script, ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })
  if (built.status !== 0) throw new Error(`npm run deb failed: ${built.stderr.trim()}`)
  return built.stdout.replace(/: [\d.]+ MiB\n$/, '')
}

/** What dpkg-deb says of the package; throws when it does not know it. */
export function dpkgDeb(...words: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('dpkg-deb', words, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (status !== 0) throw new Error(stderr.trim())
  return stdout
}
