// What esbuild makes of the programs, for the build of a clone and for the npm package. Each function resolves to the
// files that it read, as paths from the root.
//
// The client becomes one script, and each of its workers a file: finding and reading some hundred small modules takes a
// client longer than connecting and logging in. A script, unlike a module, can be run with what V8 compiled of it before
// (src/common/kept-code.ts). A worker is looked up beside the file that starts it, so its bundle goes beside the client.

import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './stamp.mjs'

const workers = ['folder', 'hash', 'recipe', 'store', 'unpack'].map((name) => `${name}-worker`)

/**
 * Where to read modules and write bundles. `extension`: of the modules. `isSmall`: without maps to the sources.
 * `external`: packages that stay outside.
 *
 * @typedef {{ from: string, to: string, extension: '.ts' | '.js', isSmall?: boolean, external?: string[] }} Places
 */

/** @param {Places} places */
export async function bundleClient(places) {
  const threads = workers.map((name) => [`client/${name}`, `client/workers/${name}`])
  return [
    ...(await bundle(places, { 'client/main': 'client/main', ...Object.fromEntries(threads) })),
    ...(await bundle(places, { 'client/program': 'client/program' }, asScript)),
  ]
}

/**
 * `name`: of a folder of `src` with a `main.ts`.
 *
 * @param {Places} places
 */
export function bundleProgram(places, name) {
  return bundle(places, { [`${name}/main`]: `${name}/main` }, inParts(name))
}

/** Bundles the page of --web into a script and a style sheet, with its other files beside them, as a browser takes them. */
export async function bundlePage(folder) {
  const page = join(root, 'src', 'web', 'page')
  // Not in the small programs with which tests try the build.
  if (!existsSync(page)) return []
  const made = await build({
    ...common,
    entryPoints: { page: join(page, 'main.ts'), 'page-style': join(page, 'style.css') },
    outdir: folder,
    minify: true,
    platform: 'browser',
    target: 'es2022',
  })
  for (const name of ['index.html', 'icon.svg']) copyFileSync(join(page, name), join(folder, name))
  return Object.keys(made.metafile.inputs)
}

/** The same bytes in whichever folder: paths are written as seen from the root, and not where links lead. */
const common = {
  absWorkingDir: root,
  preserveSymlinks: true,
  bundle: true,
  metafile: true,
  format: 'esm',
  logLevel: 'warning',
}

/** CommonJS in a file, which tells its own place to what asks for it. */
const asScript = {
  format: 'cjs',
  outExtension: { '.js': '.cjs' },
  define: { 'import.meta.url': '$moduleUrl' },
  banner: {},
}

/** With files in this folder for what is imported later, or by several. */
function inParts(folder) {
  return { splitting: true, chunkNames: `${folder}/[name]-[hash]` }
}

/** Bundles those that are there. */
async function bundle({ from, to, extension, isSmall = false, external = [] }, files, form = {}) {
  const entries = Object.entries(files)
    .map(([name, module]) => [name, join(from, `${module}${extension}`)])
    .filter(([, path]) => existsSync(path))
  const made = await build({
    ...common,
    entryPoints: Object.fromEntries(entries),
    outdir: to,
    allowOverwrite: true,
    platform: 'node',
    target: 'node20.20',
    // commander is CommonJS, and loads Node's own modules by `require`.
    banner: {
      js: "import { createRequire as $require } from 'node:module'; const require = $require(import.meta.url);",
    },
    external,
    sourcemap: !isSmall,
    legalComments: isSmall ? 'none' : 'inline',
    ...form,
  })
  return Object.keys(made.metafile.inputs)
}
