// node scripts/launch.mjs tracker|client|demo|check|build|bench [arguments]
//
// Runs one of the programs, after installing and building where something is missing or older than
// its sources. Runs before anything is installed, so it is plain JavaScript on Node alone. Standard
// input and output belong to the program: nothing here reads the one or writes to the other.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { isBuildFresh, isInstallNewer, Problem, root } from './stamp.mjs'

const [what = '', ...words] = process.argv.slice(2)
const programs = ['tracker', 'client', 'demo']

async function launch() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 20)) {
    throw new Problem(`Coterie needs Node.js 20.20 or newer; this is ${process.version}`)
  }
  if (what === 'build' || what === 'check' || what === 'bench') {
    const { prepare } = await import('./prepare.mjs')
    await prepare({ withDevelopment: what !== 'build', withBuild: what !== 'check' })
    if (what === 'check') await import('./check.mjs')
    if (what === 'bench') bench()
    return
  }
  if (!programs.includes(what)) {
    throw new Problem(`scripts/launch.mjs starts one of ${programs.join(', ')}, check, build, bench`)
  }
  // When all is fresh, which is nearly always, starting costs these few file times and no more.
  if (!isInstallNewer() || !isBuildFresh()) {
    const { prepare } = await import('./prepare.mjs')
    await prepare({ withDevelopment: false, withBuild: true })
  }
  process.argv = [process.execPath, `./${what}`, ...words]
  await import(`../dist/${what}/main.js`)
}

/** The first word is the benchmark; they are TypeScript, run by a development dependency. */
function bench() {
  const [name = '', ...rest] = words
  const run = spawnSync(process.execPath, ['--import', 'tsx', join(root, 'bench', `${name}.ts`), ...rest], {
    stdio: 'inherit',
    cwd: root,
  })
  process.exitCode = run.status ?? 1
}

launch().catch((error) => {
  const expected = error instanceof Error && error.name === 'Problem'
  process.stderr.write(`error: ${expected ? error.message : (error?.stack ?? error)}\n`)
  process.exitCode = 1
})
