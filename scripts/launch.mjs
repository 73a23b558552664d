// node scripts/launch.mjs tracker|client|demo|check|build [arguments]
//
// Runs one of the programs, after installing and building where something is missing or older than
// its sources. Runs before anything is installed, so it is plain JavaScript on Node alone. Standard
// input and output belong to the program: nothing here reads the one or writes to the other.

import { isBuildFresh, isInstallNewer, Problem } from './stamp.mjs'

const [what = '', ...words] = process.argv.slice(2)
const programs = ['tracker', 'client', 'demo']

async function launch() {
  if (Number.parseInt(process.versions.node, 10) < 20) {
    throw new Problem(`Coterie needs Node.js 20 or newer; this is ${process.version}`)
  }
  if (what === 'build' || what === 'check') {
    const { prepare } = await import('./prepare.mjs')
    await prepare({ withDevelopment: what === 'check', withBuild: what === 'build' })
    if (what === 'check') await import('./check.mjs')
    return
  }
  if (!programs.includes(what)) {
    throw new Problem(`scripts/launch.mjs starts one of ${programs.join(', ')}, check, build`)
  }
  // When all is fresh, which is nearly always, starting costs these few file times and no more.
  if (!isInstallNewer() || !isBuildFresh()) {
    const { prepare } = await import('./prepare.mjs')
    await prepare({ withDevelopment: false, withBuild: true })
  }
  process.argv = [process.execPath, `./${what}`, ...words]
  await import(`../dist/${what}/main.js`)
}

launch().catch((error) => {
  const expected = error instanceof Error && error.name === 'Problem'
  process.stderr.write(`error: ${expected ? error.message : (error?.stack ?? error)}\n`)
  process.exitCode = 1
})
