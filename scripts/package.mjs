// node scripts/launch.mjs package
//
// Puts what the npm package needs besides its documents into lib: the programs with all that they import but SQLite,
// which is no JavaScript; the library with its types; the page; the C sources, which the launcher compiles; the licenses of what is bundled, and a list
// of it. The same sources give the same bytes, in whichever folder.

import { cpSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { include_dir as headers } from 'node-api-headers'
import { billOfMaterials, licensesOf, packagesOf } from './bundled-packages.mjs'
import { bundleClient, bundlePage, bundleProgram } from './bundles.mjs'
import { libraryTypes } from './library-types.mjs'
import { root } from './stamp.mjs'

const sources = join(root, 'src')
const next = join(root, 'lib.next')
const places = {
  from: sources,
  to: next,
  extension: '.ts',
  isSmall: true,
  external: ['@photostructure/sqlite'],
}

rmSync(next, { recursive: true, force: true })
const inputs = [
  ...(await bundleClient(places)),
  ...(await bundleProgram(places, 'tracker')),
  ...(await bundleProgram(places, 'library')),
  ...(await bundlePage(join(next, 'web', 'page'))),
]
writeFileSync(join(next, 'library', 'main.d.ts'), libraryTypes())
copyNative(join(next, 'native'))
const bundled = packagesOf(inputs)
writeFileSync(join(next, 'LICENSES.txt'), licensesOf(bundled))
writeFileSync(join(next, 'sbom.json'), billOfMaterials([...bundled, 'node_modules/node-api-headers']))
rmSync(join(root, 'lib'), { recursive: true, force: true })
renameSync(next, join(root, 'lib'))

/** As they lie in the sources, and Node's headers in `include`. */
function copyNative(folder) {
  for (const path of readdirSync(sources, { recursive: true })) {
    if (!/\.[ch]$/.test(path)) continue
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(sources, path), join(folder, path))
  }
  cpSync(headers, join(folder, 'include'), { recursive: true })
}
