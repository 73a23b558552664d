// What a compiled file asks of the system: shared libraries, and how new they have to be.

import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { Problem } from '../scripts/stamp.mjs'

/** The first release of libstdc++ that has these symbols, newest first (its manual, "ABI Policy and Guidelines"). */
const libstdcxxReleases = [
  [34, '15'],
  [33, '14'],
  [32, '13.2'],
  [31, '13'],
  [30, '12'],
  [29, '11'],
  [28, '9.3'],
  [26, '9'],
  [25, '8'],
  [22, '6'],
  [21, '5'],
]

/** Debian's packages by the libraries in them. */
const packagesOfLibraries = [
  ['libc6', /^(ld-linux.*|lib(c|m|dl|pthread|rt))\.so\./],
  ['libstdc++6', /^libstdc\+\+\.so\.6$/],
  ['libgcc-s1', /^libgcc_s\.so\.1$/],
]

/** What a Debian package with these files depends on, for its control file. Throws a `Problem` for a library that is not there. */
export function dependenciesOf(files) {
  const headers = files.map((file) => outputOf('objdump', ['-p', file]))
  const libraries = new Set(headers.flatMap((text) => captures(text, /NEEDED\s+(\S+)/g)))
  const dependencies = new Set()
  for (const library of libraries) {
    const found = packagesOfLibraries.find(([, pattern]) => pattern.test(library))
    if (found === undefined)
      throw new Problem(
        `${library} is needed, which not every Debian has: take a Node from nodejs.org (--node <path>)`,
      )
    dependencies.add(found[0])
  }
  const all = headers.join('\n')
  const libstdcxx = newest(captures(all, /\bGLIBCXX_3\.4\.(\d+)/g))
  const versions = {
    libc6: newest(captures(all, /\bGLIBC_(\d+\.\d+)/g)),
    'libstdc++6': libstdcxxReleases.find(([symbols]) => symbols <= Number(libstdcxx))?.[1],
    'libgcc-s1': newest(captures(all, /\bGCC_(\d+\.\d+)/g)),
  }
  return [...dependencies]
    .toSorted((one, other) => one.localeCompare(other, 'en'))
    .map((name) => (versions[name] === undefined ? name : `${name} (>= ${versions[name]})`))
}

/** Copies a program or library, without what only a debugger reads. */
export function copyStripped(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
  outputOf('strip', ['--strip-unneeded', '--remove-section=.comment', to])
}

/** The libraries of this system that a program needs to start, its loader included. */
export function librariesOf(program) {
  const found = captures(outputOf('ldd', [program]), /(\/\S+) \(0x/g)
  if (found.length === 0) throw new Problem(`ldd names no library of ${program}`)
  return [...new Set(found)]
}

function outputOf(command, args) {
  const run = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })
  if (run.error !== undefined) throw new Problem(`${command} is missing: apt-get install binutils`)
  if (run.status !== 0) throw new Problem(`${command} failed: ${run.stderr.trim()}`)
  return run.stdout
}

function captures(text, pattern) {
  return [...text.matchAll(pattern)].map(([, found]) => found)
}

function newest(versions) {
  return versions.toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true })).at(-1)
}
