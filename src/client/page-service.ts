// Serves the page of this client as soon as somebody asks for it.

import { fileURLToPath } from 'node:url'
import { refuse, accept, type Answer } from '../common/refusal.ts'
import type { ContentReading } from './readable-content.ts'
import type { WebServer, WebServerOptions } from '../web/server/web-server.ts'

type ServedParts = Omit<WebServerOptions, 'port' | 'assets' | 'reading'>

/** Beside the client, in the sources as in the build. */
const builtPage = fileURLToPath(new URL('../web/page', import.meta.url))

export class PageService {
  readonly #parts: () => ServedParts
  readonly #assets: string
  #server: Promise<WebServer> | undefined
  #isClosing = false

  /** `parts` is called once somebody asks for the page; `assets`: its folder. */
  constructor(parts: () => ServedParts, assets = builtPage) {
    this.#parts = parts
    this.#assets = assets
  }

  /** See `PageOperations`. Rejects with a `start` failure when it cannot be served. */
  async show(port: number | undefined, reading: ContentReading): Promise<Answer<{ link: string }>> {
    if (this.#isClosing) return refuse('cancelled', 'the program is ending')
    this.#server ??= this.#start(port ?? 0, reading)
    const server = await this.#server
    if (port !== undefined && port !== 0 && port !== server.port)
      return refuse(
        'usage',
        `the page is at port ${server.port} already; leave the other port out: show_page, or --web alone`,
      )
    return accept({ link: server.link() })
  }

  async close(): Promise<void> {
    this.#isClosing = true
    const server = await this.#server?.catch(() => undefined)
    await server?.close()
  }

  async #start(port: number, reading: ContentReading): Promise<WebServer> {
    try {
      // Loaded where it is asked for only: HTTP takes its time.
      const { WebServer } = await import('../web/serving.ts')
      return await WebServer.start({ ...this.#parts(), reading, port, assets: this.#assets })
    } catch (error) {
      // The next one may name a port that is free.
      this.#server = undefined
      throw error
    }
  }
}
