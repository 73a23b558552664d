// What the Debian package and the container image have of the programs: bundles of each, what is compiled, and the packages
// that cannot be bundled. It lies as in the npm package, so that the same launcher finds it.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { licensesOf, packagesOf } from '../scripts/bundled-packages.mjs'
import { bundleClient, bundlePage, bundleProgram } from '../scripts/bundles.mjs'
import { Problem, root } from '../scripts/stamp.mjs'

const compiled = join(root, 'dist', 'client')

/** They look for files of their own while the program runs. By name: what of them is needed. */
const kept = {
  '@photostructure/sqlite': [
    'package.json',
    'LICENSE',
    'dist/index.mjs',
    'dist/index.cjs',
    `prebuilds/${process.platform}-${process.arch}/@photostructure+sqlite.glibc.node`,
  ],
  'node-gyp-build': ['package.json', 'LICENSE', 'index.js', 'node-gyp-build.js'],
}

/**
 * Puts the tracker and what asks for its health into this folder, and the client where `withClient`. Resolves to the
 * licenses of others that are in it, but for Node's. Rejects with a `Problem` where something is not built.
 */
export async function putPrograms(folder, { withClient }) {
  const places = {
    from: join(root, 'src'),
    to: join(folder, 'lib'),
    extension: '.ts',
    isSmall: true,
    external: Object.keys(kept),
  }
  const inputs = [await bundleProgram(places, 'tracker'), await bundleProgram(places, 'health')]
  if (withClient) {
    inputs.push(await bundleClient(places), await bundlePage(join(places.to, 'web', 'page')))
    putCompiled(join(places.to, 'client'))
  }
  for (const [name, files] of Object.entries(kept))
    for (const file of files) putOwn(folder, join('node_modules', name, file))
  for (const name of ['launch.mjs', 'packaged.mjs', 'stamp.mjs']) putOwn(folder, join('scripts', name))
  const { name, version, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name, version, license, type: 'module' }, undefined, 2)}\n`,
  )
  return licensesOf([
    ...packagesOf(inputs.flat()),
    ...Object.keys(kept).map((each) => `node_modules/${each}`),
  ])
}

/**
 * The license of the Node at this path. In the archives of nodejs.org and the packages of npm it lies above `bin`, in those
 * of NodeSource among the documents. Throws a `Problem` where it is in neither place.
 */
export function licenseOfNode(node) {
  const above = dirname(dirname(realpathSync(node)))
  const places = [join(above, 'LICENSE'), join(above, 'share/doc/nodejs/LICENSE')]
  const found = places.find((place) => existsSync(place))
  if (found === undefined)
    throw new Problem(`the license of ${node} is missing: looked for ${places.join(', ')}`)
  return readFileSync(found, 'utf8')
}

/** Where there is no compiler, all works without them, only slower: not good enough for a package. */
function putCompiled(folder) {
  const found = existsSync(compiled) ? readdirSync(compiled).filter((name) => name.endsWith('.node')) : []
  if (found.length === 0)
    throw new Problem('nothing of the C sources is compiled: install a C compiler (gcc), then npm run build')
  for (const name of found) copy(join(compiled, name), join(folder, name))
}

/** To the same place in the folder as here. */
function putOwn(folder, path) {
  if (!existsSync(join(root, path))) throw new Problem(`${path} is missing: npm ci`)
  copy(join(root, path), join(folder, path))
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  cpSync(from, to, { dereference: true })
}
