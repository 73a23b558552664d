// node scripts/bundle.mjs <folder of the compiled modules>
//
// Puts the bundles of the client and the page into the build. The modules stay beside them for the tests.

import { join, resolve } from 'node:path'
import { bundleClient, bundlePage } from './bundles.mjs'

const folder = resolve(process.argv[2] ?? 'dist')

await bundleClient({ from: folder, to: folder, extension: '.js' })
await bundlePage(join(folder, 'web', 'page'))
