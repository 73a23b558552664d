// node scripts/native.mjs <folder for what is compiled> <folder of the sources> [folder of Node's headers]
//
// Compiles the C sources of the client, or says on standard output why it could not. That is no failure: without them,
// hashing and writing pieces, looking for blocks, folders of small files, TLS, and logins only take longer. Single files need
// no build system; the headers come as a package, so nothing is fetched.

import { spawnSync } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join, resolve } from 'node:path'

const [folder = '', sources = '', given] = process.argv.slice(2)
const headers = given ?? (await import('node-api-headers')).include_dir

make('client/hashing/piece-hash', 'hashPiece', 'Pieces will be hashed by Node alone', ['x64'])
make('client/hashing/block-match', 'nextMatch', 'Known blocks will be looked for in JavaScript')
make('client/folder/small-files', 'writeFiles', 'Small files will be made and read by Node alone')
make('client/workers/write-parts', 'writeParts', 'Pieces will be written by Node alone')
make('common/wire/tls-session', 'free', 'Pieces will be encrypted by sockets of Node')
make('common/security/stretching', 'stretch', 'Passwords will be stretched by Node alone')

/**
 * `path`: of the source; `name`: of a function in it; `without`: what happens where it cannot be compiled;
 * `processors`: for which it is.
 */
function make(path, name, without, processors) {
  const source = join(sources, `${path}.c`)
  const target = resolve(join(folder, `${basename(path)}.node`))
  // All of them are for the client, which small programs in tests lack.
  if (!existsSync(source) || !existsSync(join(sources, 'client'))) return
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
