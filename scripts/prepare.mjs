// Installs from the lock file and builds, if needed. Prints nothing on standard output, and little on standard error
// when all goes well. Processes that start together take turns, see lock.mjs.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { alone, withFlagFor } from './lock.mjs'
import { hasChecks, lockForBuild } from './lock-part.mjs'
import { isBuildFresh, isInstallNewer, Problem, root, sourceStamp, textOf } from './stamp.mjs'

const nodeModules = join(root, 'node_modules')
const lockFile = join(root, 'package-lock.json')
const hiddenLock = join(nodeModules, '.package-lock.json')

export async function prepare({ withDevelopment, withBuild }) {
  if (isInstalled(withDevelopment) && (!withBuild || isBuildFresh())) return
  await alone(async () => {
    // Another process may have done it meanwhile.
    if (!isInstalled(withDevelopment)) await install(withDevelopment)
    if (withBuild && !isBuildFresh()) await build()
  })
}

/**
 * Whether node_modules matches the lock file. When times disagree, the contents decide: times alone would reinstall
 * after each switch of branches, under running programs.
 */
function isInstalled(withDevelopment) {
  if (!withDevelopment && isInstallNewer()) return true
  const has = lockOf(hiddenLock)
  const whole = lockOf(lockFile)
  if (has === undefined || whole === undefined) return false
  const wants = withDevelopment ? whole : lockForBuild(whole)
  for (const [path, entry] of Object.entries(wants.packages)) {
    if (path === '') continue
    const found = has.packages[path]
    // Optional packages are those of other platforms: npm leaves them out.
    if (found === undefined ? entry.optional !== true : found.version !== entry.version) return false
  }
  const now = new Date()
  utimesSync(hiddenLock, now, now)
  return true
}

async function install(withDevelopment) {
  process.stderr.write('Installing what Coterie needs (once) …\n')
  const words = ['ci', '--include=dev', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error']
  const has = lockOf(hiddenLock)
  const whole = lockOf(lockFile)
  // Development packages stay installed: starting a program must not remove the test tools.
  if (withDevelopment || whole === undefined || (has !== undefined && hasChecks(has))) await run('npm', words)
  else await installPart(lockForBuild(whole), words)
}

/** Installs what a part of the lock file says, beside, and then puts it into its place. */
async function installPart(lock, words) {
  const beside = `${nodeModules}.next`
  rmSync(beside, { recursive: true, force: true })
  mkdirSync(beside)
  const { name, version, dependencies } = lock.packages['']
  writeFileSync(join(beside, 'package.json'), JSON.stringify({ name, version, private: true, dependencies }))
  writeFileSync(join(beside, 'package-lock.json'), JSON.stringify(lock))
  await run('npm', [...words, '--prefix', beside])
  rmSync(nodeModules, { recursive: true, force: true })
  renameSync(join(beside, 'node_modules'), nodeModules)
  rmSync(beside, { recursive: true, force: true })
}

/**
 * Builds beside the old build and then replaces it, so that no output of a deleted source stays and a failed build
 * changes nothing. The stamp is taken before compiling: a source that changes meanwhile makes the build stale.
 */
async function build() {
  const stamp = sourceStamp()
  const [next, old, dist] = ['dist.next', 'dist.old', 'dist'].map((name) => join(root, name))
  rmSync(next, { recursive: true, force: true })
  rmSync(old, { recursive: true, force: true })
  await run(process.execPath, [
    join(nodeModules, 'typescript', 'bin', 'tsc'),
    '-p',
    'tsconfig.json',
    '--outDir',
    next,
    '--noEmitOnError',
  ])
  mkdirSync(next, { recursive: true })
  await run(process.execPath, [join(root, 'scripts', 'bundle.mjs'), next])
  const compile = [join(root, 'scripts', 'native.mjs'), join(next, 'client'), join(root, 'src')]
  process.stderr.write(await run(process.execPath, compile))
  writeFileSync(join(next, '.stamp'), stamp)
  if (existsSync(dist)) renameSync(dist, old)
  renameSync(next, dist)
  rmSync(old, { recursive: true, force: true })
}

/** Runs a command of the install or the build. Resolves to its output; when it fails, prints that and throws. */
async function run(command, args) {
  const called = [command === process.execPath ? 'node' : command, ...args].join(' ').replaceAll(root, '.')
  // Our standard input is for the program: lines piped to it must reach it.
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = []
  child.stdout.on('data', (bytes) => output.push(bytes))
  child.stderr.on('data', (bytes) => output.push(bytes))
  const closed = once(child, 'close').catch((error) => {
    throw new Problem(`cannot run ${called}: ${error.message}`)
  })
  const [status] = await (child.pid === undefined ? closed : withFlagFor(child, () => closed))
  if (status === 0) return Buffer.concat(output)
  process.stderr.write(Buffer.concat(output))
  throw new Problem(`${called} failed`)
}

function lockOf(path) {
  const text = textOf(path)
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}
