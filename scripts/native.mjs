// node scripts/native.mjs <folder of the compiled modules>
//
// Compiles the C sources of the client beside the bundles, which look for them there, or says on standard output why it
// could not. That is no failure: without them, hashing, looking for blocks, and folders of small files, only take longer. Single
// files need no build system; the headers come as a package, so nothing is fetched.

import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { include_dir as headers } from 'node-api-headers'

const [folder = 'dist'] = process.argv.slice(2)

make('hashing/piece-hash', 'hashPiece', 'Pieces will be hashed by Node alone', ['x64'])
make('hashing/block-match', 'nextMatch', 'Known blocks will be looked for in JavaScript')
make('folder/small-files', 'writeFiles', 'Small files will be made and read by Node alone')

/** `file`: a source of the client; `name`: of the function in it; `without`: what happens where it cannot be compiled; `processors`: for which it is. */
function make(file, name, without, processors) {
  const source = fileURLToPath(new URL(`../src/client/${file}.c`, import.meta.url))
  const target = resolve(join(folder, 'client', `${basename(file)}.node`))
  // Without a client there is nothing to do.
  if (!existsSync(source)) return
  const isFor = processors?.includes(process.arch) ?? true
  const problem = isFor
    ? (compile(source, target) ?? load(target, name))
    : `there is no version for ${process.arch} yet`
  if (problem === undefined) return
  rmSync(target, { force: true })
  process.stdout.write(`${without}, which takes longer: ${problem}\n`)
}

function compile(source, target) {
  const compiler = process.env.CC ?? 'cc'
  // Node's own functions are found when it loads the file; only the linker of macOS has to be told.
  const late = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : []
  const options = ['-std=c11', '-O2', '-shared', '-fPIC', '-pthread', ...late, '-I', headers]
  const run = spawnSync(compiler, [...options, '-o', target, source], { encoding: 'utf8' })
  if (run.error !== undefined) return `no C compiler (${compiler})`
  return run.status === 0 ? undefined : `${compiler} failed: ${run.stderr.trim().split('\n')[0]}`
}

/** Loads it here, so that a fault does not first show in a client. */
function load(target, name) {
  try {
    const compiled = createRequire(import.meta.url)(target)
    return compiled[name] === undefined ? 'this processor has no instructions for it' : undefined
  } catch (error) {
    return error.message.split('\n')[0]
  }
}
