// node scripts/page.mjs <folder>
//
// Bundles the page of --web into a script and a style sheet, and puts its other files beside them. A browser takes what
// is there as it is.

import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from './stamp.mjs'

const [folder = join('dist', 'web', 'page')] = process.argv.slice(2)
const page = join(root, 'src', 'web', 'page')

// Not in the small programs with which tests try the build.
if (existsSync(page)) await bundlePage()

async function bundlePage() {
  await build({
    entryPoints: { page: join(page, 'main.ts'), 'page-style': join(page, 'style.css') },
    outdir: folder,
    bundle: true,
    minify: true,
    platform: 'browser',
    target: 'es2022',
    format: 'esm',
    logLevel: 'warning',
  })
  for (const name of ['index.html', 'icon.svg']) copyFileSync(join(page, name), join(folder, name))
}
