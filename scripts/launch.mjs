// node scripts/launch.mjs [--ignore-hangup] tracker|client|demo|check|build|package|sbom|bench|campaign|manual [arguments]
//
// Runs one of the programs, after installing and building if something is missing or older than its sources; in the npm
// package nothing is. Runs before anything is installed, so it is plain JavaScript on Node alone. Standard input and
// output belong to the program: nothing here reads or writes them.

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { isBuildFresh, isInstallNewer, Problem, root } from './stamp.mjs'

const [first = '', ...others] = process.argv.slice(2)
const ignoresHangup = first === '--ignore-hangup'
const [what = '', ...words] = ignoresHangup ? others : [first, ...others]
// The programs leave hang-ups alone when there is a listener already.
if (ignoresHangup) process.on('SIGHUP', () => {})
const programs = ['tracker', 'client', 'demo']
/** The npm package has no sources, only bundles. Its commands, by program: see `bin` in package.json. */
const isPackage = !existsSync(join(root, 'src'))
const commands = { tracker: 'coterie-tracker', client: 'coterie' }
/** Folders of scripts in TypeScript, which a development dependency runs. */
const scripts = { bench: 'bench', campaign: join('test', 'campaigns'), manual: join('src', 'manual') }

async function launch() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 20)) {
    throw new Problem(`Coterie needs Node.js 20.20 or newer; this is ${process.version}`)
  }
  if (isPackage) return runPackaged()
  const isPackaging = what === 'package' || what === 'sbom'
  const folder = Object.hasOwn(scripts, what) ? join(root, scripts[what]) : undefined
  if (folder !== undefined) checkName(folder)
  if (what === 'build' || what === 'check' || isPackaging || folder !== undefined) {
    const { prepare } = await import('./prepare.mjs')
    const withDevelopment = what === 'check' || folder !== undefined
    await prepare({ withDevelopment, withBuild: what === 'build' || folder !== undefined })
    if (what === 'check') await import('./check.mjs')
    if (isPackaging) await import('./package.mjs')
    if (what === 'sbom') process.stdout.write(readFileSync(join(root, 'lib', 'sbom.json')))
    if (folder !== undefined) runScript(folder)
    return
  }
  if (!programs.includes(what)) {
    throw new Problem(
      `scripts/launch.mjs starts one of ${programs.join(', ')}, check, build, package, sbom, bench, campaign, manual`,
    )
  }
  // Nearly always all is fresh, and the check costs only a few file times.
  if (!isInstallNewer() || !isBuildFresh()) {
    const { prepare } = await import('./prepare.mjs')
    await prepare({ withDevelopment: false, withBuild: true })
  }
  // Whoever may write there may change the program, too.
  if (what === 'client') process.env.COTERIE_CODE = join(root, 'dist', 'client')
  process.argv = [process.execPath, `./${what}`, ...words]
  await import(`../dist/${what}/main.js`)
}

async function runPackaged() {
  if (!Object.hasOwn(commands, what)) throw new Problem('the npm package has a client and a tracker')
  if (what === 'client') {
    const { codeFolder, compiledFolder } = await import('./packaged.mjs')
    const folders = { COTERIE_COMPILED: compiledFolder(), COTERIE_CODE: codeFolder() }
    for (const [name, folder] of Object.entries(folders)) {
      if (folder === undefined) delete process.env[name]
      else process.env[name] = folder
    }
  }
  process.argv = [process.execPath, commands[what], ...words]
  await import(`../lib/${what}/main.js`)
}

/** Throws a `Problem` unless the first word names a script of the folder. */
function checkName(folder) {
  const [name = ''] = words
  if (!/^[a-z-]+$/.test(name) || !existsSync(join(folder, `${name}.ts`)))
    throw new Problem(`there is no ${what} called "${name}"; package.json lists them`)
}

function runScript(folder) {
  const [name, ...rest] = words
  const run = spawnSync(process.execPath, ['--import', 'tsx', join(folder, `${name}.ts`), ...rest], {
    stdio: 'inherit',
    cwd: root,
  })
  process.exitCode = run.status ?? 128 + (constants.signals[run.signal] ?? 0)
}

launch().catch((error) => {
  const expected = error instanceof Error && error.name === 'Problem'
  process.stderr.write(`error: ${expected ? error.message : (error?.stack ?? error)}\n`)
  process.exitCode = 1
})
