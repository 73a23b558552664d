// What the launcher does in the npm package, where the programs are bundled and nothing is installed or built: the parts
// in C are compiled at the first start, where there is a compiler. Not while npm installs, so that `--ignore-scripts`
// changes nothing; and for this user alone, in the cache folder, since the package may belong to somebody else.

import { spawnSync } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { root } from './stamp.mjs'

const sources = join(root, 'lib', 'native')

/** The folder with what is compiled for this Node, after compiling it if need be; undefined where it has to be done without. */
export function compiledFolder() {
  // A system's package may have them beside the programs.
  if (!existsSync(sources)) return undefined
  try {
    const folder = folderFor(process.env)
    if (!existsSync(folder)) {
      if (!hasCompiler(process.env)) return undefined
      mkdirSync(dirname(folder), { recursive: true, mode: 0o700 })
      compile(folder)
    }
    // What others can change is not loaded.
    return [dirname(folder), folder].every(isOwn) ? folder : undefined
  } catch {
    // No home, or one that cannot be written to: the programs do the same in JavaScript.
    return undefined
  }
}

/**
 * The folder for what V8 has compiled (src/common/kept-code.ts), which makes it when there is something to keep; undefined
 * where others can change what is in it.
 */
export function codeFolder() {
  try {
    const folder = cacheFolder(process.env)
    return !existsSync(folder) || isOwn(folder) ? folder : undefined
  } catch {
    // As above: the programs start a little later.
    return undefined
  }
}

/** Of the user (XDG Base Directory 0.8). */
function cacheFolder(env) {
  const configured = env.XDG_CACHE_HOME
  return join(configured && isAbsolute(configured) ? configured : join(homedir(), '.cache'), 'coterie')
}

/** One for each version and each kind of Node. */
function folderFor(env) {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const { platform, arch, versions } = process
  const kind = [version, platform, arch, `node${versions.modules}`, `openssl${versions.openssl}`]
  return join(cacheFolder(env), `compiled-${kind.join('-').replace(/[^\w.-]/g, '_')}`)
}

/** As native.mjs calls it; an empty CC stands for none. */
function hasCompiler({ CC = 'cc', PATH = '' }) {
  if (CC.includes('/')) return existsSync(CC)
  return CC !== '' && PATH.split(delimiter).some((folder) => existsSync(join(folder, CC)))
}

/** The folder has its name only when it is complete: of several that start together, the first one's stays. */
function compile(folder) {
  process.stderr.write('Compiling what makes transfers faster (once) …\n')
  const beside = mkdtempSync(`${folder}.`)
  try {
    const words = [join(root, 'scripts', 'native.mjs'), beside, sources, join(sources, 'include')]
    const { stdout, stderr } = spawnSync(process.execPath, words, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    process.stderr.write(stdout + stderr)
    // Kept to be read, and so that what failed once is not tried at each start.
    writeFileSync(join(beside, 'said.txt'), stdout + stderr)
    renameSync(beside, folder)
  } catch (error) {
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(beside, { recursive: true, force: true })
  }
}

function isOwn(folder) {
  const { uid, mode } = lstatSync(folder)
  return uid === process.getuid?.() && (mode & 0o022) === 0
}
