// The files that the page is made of, read once at the start: what is not among them cannot be asked for, however its
// path is spelt.

import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { Failure, sentenceOf } from '../../common/failure.ts'

interface Asset {
  readonly type: string
  readonly bytes: Buffer
  readonly tag: string
}

const types: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.json', 'application/json'],
  ['.map', 'application/json'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.ico', 'image/x-icon'],
  ['.woff2', 'font/woff2'],
  ['.webmanifest', 'application/manifest+json'],
])

const start = '/index.html'

export class Assets {
  readonly #assets: ReadonlyMap<string, Asset>

  private constructor(assets: ReadonlyMap<string, Asset>) {
    this.#assets = assets
  }

  /** Rejects with a `start` failure when the page is not in the folder. */
  static async load(folder: string): Promise<Assets> {
    const assets = new Map<string, Asset>()
    try {
      const files = await readdir(folder, { recursive: true, withFileTypes: true })
      for (const file of files) {
        const type = types.get(extname(file.name))
        if (type === undefined || !file.isFile()) continue
        const path = join(file.parentPath, file.name)
        const bytes = await readFile(path)
        const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
        assets.set(`/${relative(folder, path).replaceAll(sep, '/')}`, { type, bytes, tag })
      }
    } catch (error) {
      throw new Failure('start', `cannot read the page in ${folder}: ${sentenceOf(error)}`, error)
    }
    if (!assets.has(start))
      throw new Failure('start', `there is no page in ${folder}; build Coterie again: npm run build`)
    return new Assets(assets)
  }

  /** The page, with this in its head. */
  startPage(head: string): string {
    const bytes = this.#assets.get(start)?.bytes ?? Buffer.alloc(0)
    return bytes.toString('utf8').replace('<head>', () => `<head>${head}`)
  }

  /** `known`: the tag that the browser has, as it says it. Undefined where there is no such file. */
  find(path: string, known: string | undefined): Response | undefined {
    const asset = this.#assets.get(path === '/' ? start : path)
    if (asset === undefined) return undefined
    const { type, bytes, tag } = asset
    // Asked for again each time, so that a page never is of two versions.
    const headers = { 'content-type': type, 'cache-control': 'no-cache', etag: tag }
    if (known === tag) return new Response(undefined, { status: 304, headers })
    return new Response(bytes, { headers: { ...headers, 'content-length': String(bytes.length) } })
  }
}
