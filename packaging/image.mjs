// node packaging/image.mjs <folder>
//
// Makes what the container image of a tracker consists of, in a folder: its whole root in `root`, and its empty data folder,
// which has another owner, in `data`. There is no shell and no other program in it, only Node, the libraries of this system
// that Node needs, and the tracker. deploy/Dockerfile copies both, and a test runs them without a container engine.

import { chmodSync, copyFileSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Problem } from '../scripts/stamp.mjs'
import { copyStripped, librariesOf } from './binaries.mjs'
import { licenseOfNode, putPrograms } from './programs.mjs'

/** As in the packages, so that paths are the same everywhere. */
const library = '/usr/lib/coterie'
/** The number that the user of Node's own images has: volumes of before go on. */
const users = 'root:x:0:0:root:/:/sbin/nologin\ncoterie:x:1000:1000:Coterie trackers:/data:/sbin/nologin\n'
const groups = 'root:x:0:\ncoterie:x:1000:\n'

async function makeImage(folder) {
  const inside = (path) => join(folder, 'root', path)
  const licenses = await putPrograms(inside(library), { withClient: false })
  copyStripped(process.execPath, inside(`${library}/node`))
  for (const path of [process.execPath, ...compiledIn(inside(library))].flatMap(librariesOf))
    put(realpathSync(path), inside(path))
  const texts = {
    '/etc/passwd': users,
    '/etc/group': groups,
    // Names of hosts, such as those of NATS servers.
    '/etc/nsswitch.conf': 'hosts: files dns\n',
    '/usr/share/doc/coterie/third-party.txt': licenses,
    '/usr/share/doc/coterie/node-license.txt': licenseOfNode(process.execPath),
  }
  for (const [path, text] of Object.entries(texts)) {
    mkdirSync(dirname(inside(path)), { recursive: true })
    writeFileSync(inside(path), text)
  }
  mkdirSync(inside('/tmp'))
  chmodSync(inside('/tmp'), 0o1777)
  mkdirSync(join(folder, 'data'), { mode: 0o700 })
}

function compiledIn(folder) {
  return readdirSync(folder, { recursive: true })
    .filter((name) => name.endsWith('.node'))
    .map((name) => join(folder, name))
}

function put(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
}

const [folder] = process.argv.slice(2)
try {
  if (folder === undefined) throw new Problem('the folder is missing: node packaging/image.mjs <folder>')
  await makeImage(resolve(folder))
} catch (error) {
  if (!(error instanceof Problem)) throw error
  process.stderr.write(`error: ${error.message}\n`)
  process.exitCode = 1
}
