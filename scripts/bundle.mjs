// node scripts/bundle.mjs <folder of the compiled modules>
//
// Bundles the client into a few files, and each of its workers into one: finding and reading some hundred small modules
// takes a client longer than connecting and logging in. The client's first file is all that another terminal of one that
// runs needs. The modules stay beside them for the tests. A worker is looked up beside the file that starts it, so its
// bundle goes beside the client.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const [folder = 'dist'] = process.argv.slice(2)

const client = { 'client/main': 'client/main.js' }
const workers = {
  'client/folder-worker': 'client/workers/folder-worker.js',
  'client/hash-worker': 'client/workers/hash-worker.js',
  'client/recipe-worker': 'client/workers/recipe-worker.js',
  'client/store-worker': 'client/workers/store-worker.js',
  'client/unpack-worker': 'client/workers/unpack-worker.js',
}

/** Bundles those that are there; `splits`: what is imported later goes into files of its own. */
function bundle(files, splits) {
  return build({
    entryPoints: Object.fromEntries(
      Object.entries(files)
        .map(([to, from]) => [to, join(folder, from)])
        .filter(([, from]) => existsSync(from)),
    ),
    outdir: folder,
    allowOverwrite: true,
    bundle: true,
    splitting: splits,
    chunkNames: 'client/[name]-[hash]',
    platform: 'node',
    target: 'node20.20',
    format: 'esm',
    // commander is CommonJS, and loads Node's own modules by `require`.
    banner: {
      js: "import { createRequire as $require } from 'node:module'; const require = $require(import.meta.url);",
    },
    sourcemap: true,
    logLevel: 'warning',
  })
}

await bundle(client, true)
await bundle(workers, false)
