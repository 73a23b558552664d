// node scripts/bundle.mjs <folder of the compiled modules>
//
// Puts the bundles of both programs and the page into the build. The modules stay beside them for the tests.

import { join, resolve } from 'node:path'
import { bundleClient, bundlePage, bundleProgram } from './bundles.mjs'

const folder = resolve(process.argv[2] ?? 'dist')

const places = { from: folder, to: folder, extension: '.js' }

await bundleClient(places)
// SQLite looks for files of its own.
await bundleProgram({ ...places, external: ['@photostructure/sqlite'] }, 'tracker')
await bundlePage(join(folder, 'web', 'page'))
