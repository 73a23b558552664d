// node scripts/native.mjs <folder of the compiled modules>
//
// Compiles piece-hash.c beside the bundles, which look for it there, or says on standard output why it could not. That
// is no failure: without it, hashing only takes longer. One file for one kind of processor needs no build system; the
// headers come as a package, so nothing is fetched.

import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { include_dir as headers } from 'node-api-headers'

const [folder = 'dist'] = process.argv.slice(2)
const source = fileURLToPath(new URL('../src/client/hashing/piece-hash.c', import.meta.url))
const target = resolve(join(folder, 'client', 'piece-hash.node'))

// Without a client there is nothing to hash.
const problem = existsSync(source) ? whyNot() : undefined
if (problem !== undefined) {
  rmSync(target, { force: true })
  process.stdout.write(`Pieces will be hashed by Node alone, which takes longer: ${problem}\n`)
}

function whyNot() {
  return process.arch === 'x64' ? (compile() ?? load()) : `there is no version for ${process.arch} yet`
}

function compile() {
  const compiler = process.env.CC ?? 'cc'
  // Node's own functions are found when it loads the file; only the linker of macOS has to be told.
  const late = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []
  const options = ['-std=c11', '-O2', '-shared', '-fPIC', ...late, '-I', headers]
  const run = spawnSync(compiler, [...options, '-o', target, source], { encoding: 'utf8' })
  if (run.error !== undefined) return `no C compiler (${compiler})`
  return run.status === 0 ? undefined : `${compiler} failed: ${run.stderr.trim().split('\n')[0]}`
}

/** Loads it here, so that a fault does not first show in a client. */
function load() {
  try {
    const { hashPiece } = createRequire(import.meta.url)(target)
    return hashPiece === undefined ? 'this processor has no instructions for SHA' : undefined
  } catch (error) {
    return error.message.split('\n')[0]
  }
}
