// node scripts/page.mjs <folder>
//
// Bundles the page of --web alone.

import { join, resolve } from 'node:path'
import { bundlePage } from './bundles.mjs'

await bundlePage(resolve(process.argv[2] ?? join('dist', 'web', 'page')))
