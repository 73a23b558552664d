// npm run deb [-- --out <folder>] [--revision <n>] [--node <path>] [--compression xz|gzip|none]
//
// Builds the Debian package for this kind of processor, with the Node that runs this, or another one. The same sources,
// Node and compiler give the same bytes: all times are SOURCE_DATE_EPOCH, by default that of the last commit.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { gzipSync } from 'node:zlib'
import { Problem, root } from '../scripts/stamp.mjs'
import { copyStripped, dependenciesOf } from './binaries.mjs'
import { architectureOf, control, debianChanges, debianVersion } from './debian/control.mjs'
import { filesOf, library, settingFiles } from './debian/layout.mjs'
import { licenseOfNode, putPrograms } from './programs.mjs'

const { values: options } = parseArgs({
  options: {
    out: { type: 'string', default: root },
    revision: { type: 'string', default: '1' },
    node: { type: 'string', default: process.execPath },
    compression: { type: 'string', default: 'xz' },
  },
})

const maintainer = `${process.env.DEBFULLNAME ?? 'Coterie authors'} <${process.env.DEBEMAIL ?? 'coterie@example.org'}>`

/** Builds it in a folder of its own, and resolves to the path of the package. */
async function buildPackage(folder) {
  const architecture = architectureOf(process.arch)
  if (architecture === undefined) throw new Problem(`Debian has no packages for ${process.arch}`)
  adviseOfNode()
  const { version: upstream } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const version = debianVersion(upstream, options.revision)
  const atSeconds = Number(process.env.SOURCE_DATE_EPOCH ?? timeOfCommit())

  const inside = (path) => join(folder, path)
  const licenses = await putPrograms(inside(library), { withClient: true })
  copyStripped(options.node, inside(`${library}/node`))
  const compiled = filesUnder(folder).filter((path) => path.endsWith('.node'))
  for (const path of compiled) copyStripped(path, path)
  const changes = debianChanges({ version, maintainer, atSeconds })
  const programs = new Set([inside(`${library}/node`)])
  for (const { to, text, mode } of filesOf({ licenses, nodeLicense: licenseOfNode(options.node), changes })) {
    put(inside(to), to.endsWith('.gz') ? gzipSync(text, { level: 9 }) : text)
    if (mode !== undefined) programs.add(inside(to))
  }
  const files = filesUnder(folder)
  const sizeBytes = files.reduce((sum, path) => sum + statSync(path).size, 0)
  const dependencies = dependenciesOf([inside(`${library}/node`), ...compiled])
  put(inside('DEBIAN/control'), control({ version, architecture, dependencies, sizeBytes, maintainer }))
  put(
    inside('DEBIAN/conffiles'),
    settingFiles()
      .map((path) => `${path}\n`)
      .join(''),
  )
  put(inside('DEBIAN/md5sums'), files.map((path) => `${md5Of(path)}  ${relative(folder, path)}\n`).join(''))
  for (const name of ['postinst', 'prerm', 'postrm']) {
    put(inside(`DEBIAN/${name}`), readFileSync(join(root, 'packaging', 'debian', name)))
    programs.add(inside(`DEBIAN/${name}`))
  }
  settle(folder, programs, atSeconds)
  const target = join(resolve(options.out), `coterie_${version}_${architecture}.deb`)
  mkdirSync(dirname(target), { recursive: true })
  runDpkgDeb(folder, target, atSeconds)
  return target
}

/** Whoever installs it cannot choose another one. */
function adviseOfNode() {
  const { stdout } = spawnSync(options.node, ['--version'], { encoding: 'utf8' })
  const [, major] = /^v(\d+)\./.exec(stdout ?? '') ?? []
  if (major === undefined) throw new Problem(`${options.node} is no Node.js`)
  if (Number(major) < 22)
    process.stderr.write(
      `note: the package brings Node ${stdout.trim()}, which gets no more fixes; give it 24: --node <path>\n`,
    )
}

function runDpkgDeb(folder, target, atSeconds) {
  const words = ['--root-owner-group', `-Z${options.compression}`, '--build', folder, target]
  const run = spawnSync('dpkg-deb', words, {
    encoding: 'utf8',
    env: { ...process.env, SOURCE_DATE_EPOCH: String(atSeconds) },
  })
  if (run.error !== undefined)
    throw new Problem('dpkg-deb is missing: the package is built on Debian, or with its dpkg')
  if (run.status !== 0) throw new Problem(`dpkg-deb failed: ${run.stderr.trim()}`)
}

/** In seconds since 1970; that of package.json where there is no history. */
function timeOfCommit() {
  const run = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' })
  const seconds = Number(run.stdout)
  return run.status === 0 && seconds > 0
    ? seconds
    : Math.floor(statSync(join(root, 'package.json')).mtimeMs / 1000)
}

/** Gives everything the same modes and times, whoever builds. */
function settle(folder, programs, atSeconds) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) settle(path, programs, atSeconds)
    else chmodSync(path, programs.has(path) ? 0o755 : 0o644)
    lutimesSync(path, atSeconds, atSeconds)
  }
  chmodSync(folder, 0o755)
  lutimesSync(folder, atSeconds, atSeconds)
}

/** Of regular files, in the order of names. */
function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .toSorted()
}

function put(path, content) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
}

function md5Of(path) {
  return createHash('md5').update(readFileSync(path)).digest('hex')
}

const folder = mkdtempSync(join(tmpdir(), 'coterie-deb-'))
try {
  const target = await buildPackage(folder)
  const mib = (statSync(target).size / 2 ** 20).toFixed(1)
  process.stdout.write(`${target}: ${mib} MiB\n`)
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`error: ${error.message}\n`)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
