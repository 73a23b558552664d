// npm run check:reproducible [-- <folder>]
//
// Makes the npm package twice, in different folders, and compares the bytes. Puts one into the folder, if one is named.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem, root } from './stamp.mjs'

/** What a package is made from, besides node_modules. */
const parts = [
  'client',
  'tracker',
  'deploy',
  'docs',
  'scripts',
  'src',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
]
const texts = [
  'ARCHITECTURE.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'LICENSE',
  'PROTOCOL.md',
  'README.md',
  'SECURITY.md',
]

const scratch = mkdtempSync(join(tmpdir(), 'coterie-package-'))
try {
  await reproduce(process.argv[2])
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`error: ${error.message}\n`)
  process.exitCode = 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function reproduce(target) {
  const folders = [join(scratch, 'one'), join(scratch, 'another', 'far', 'away')]
  const [first, second] = await Promise.all(folders.map(packIn))
  if (first.sha256 !== second.sha256) {
    const [one, other] = folders.map((folder) => hashesIn(join(folder, 'lib')))
    const differ = [...new Set([...one.keys(), ...other.keys()])].filter(
      (name) => one.get(name) !== other.get(name),
    )
    throw new Problem(
      `two packages of the same sources differ: ${differ.join(', ') || 'in what is not in lib'}`,
    )
  }
  if (target !== undefined) {
    mkdirSync(target, { recursive: true })
    copyFileSync(first.path, join(target, first.name))
  }
  const { size } = statSync(first.path)
  process.stdout.write(`twice the same bytes: ${first.name}, ${size} bytes, sha256 ${first.sha256}\n`)
}

/** A copy, in which the package is made. */
async function packIn(folder) {
  mkdirSync(folder, { recursive: true })
  for (const name of [...parts, ...texts])
    cpSync(join(root, name), join(folder, name), { recursive: true, preserveTimestamps: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const child = spawn('npm', ['pack', '--silent'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
  const said = []
  child.stdout.on('data', (bytes) => said.push(bytes))
  child.stderr.on('data', (bytes) => said.push(bytes))
  const [status] = await once(child, 'close')
  const text = Buffer.concat(said).toString().trim()
  if (status !== 0) throw new Problem(`npm pack failed:\n${text}`)
  const name = text.split('\n').at(-1) ?? ''
  const path = join(folder, name)
  return { name, path, sha256: hashOf(path) }
}

function hashesIn(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((name) =>
    statSync(join(folder, name)).isFile(),
  )
  return new Map(files.map((name) => [name, hashOf(join(folder, name))]))
}

function hashOf(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
