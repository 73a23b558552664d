// Serves the page of this client to browsers on this machine.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { ContentReading } from '../../client/readable-content.ts'
import type { ClientEvent, Operations } from '../../client/operations.ts'
import { listenOn } from '../../common/listening.ts'
import { TokenBucket } from '../../common/token-bucket.ts'
import { Access } from './access.ts'
import { applicationOf, helloOf, type Application } from './application.ts'
import { Assets } from './assets.ts'
import { Connections } from './connections.ts'
import { EventStreams } from './event-streams.ts'
import { refusalResponse, webRefusal, type WebRefusal } from './refusals.ts'
import { cookieIn } from './request-checks.ts'
import { sendResponse } from '../http/send-response.ts'
import { pageLimits } from './limits.ts'

export interface WebServerOptions {
  /** Of 127.0.0.1; 0 stands for any free one. */
  readonly port: number
  /** The folder of the page. */
  readonly assets: string
  readonly operations: Operations
  readonly reading: ContentReading
  /** Where files go that are dropped into the page, unless it names another folder. */
  readonly dropFolder?: string | undefined
  /** Adds a listener for events; call the result to remove it. */
  readonly subscribe: (listener: (event: ClientEvent) => void) => () => void
  /** How long a dropped file may be silent. */
  readonly dropSilenceMs?: number
  /** How long the headers of a request may take. */
  readonly headersWithinMs?: number
  /** A bug. */
  readonly onFailure: (error: unknown) => void
}

export class WebServer {
  readonly #options: WebServerOptions
  readonly #server: Server
  readonly #access = new Access()
  readonly #connections = new Connections()
  readonly #events: EventStreams
  /** They count requests. */
  readonly #rates = {
    known: new TokenBucket(pageLimits.knownPerSecond),
    strangers: new TokenBucket(pageLimits.strangersPerSecond),
  }
  #application: Application | undefined
  #port = 0

  private constructor(options: WebServerOptions) {
    this.#options = options
    const { operations, subscribe, headersWithinMs = pageLimits.headersWithinMs } = options
    this.#events = new EventStreams({ hello: () => helloOf(operations, this.#access), subscribe })
    this.#server = createServer(
      {
        // A file that is dropped into the page may take its time; short bodies have a time of their own.
        requestTimeout: 0,
        headersTimeout: headersWithinMs,
        connectionsCheckingInterval: headersWithinMs / 4,
        maxHeaderSize: pageLimits.headerBytes,
      },
      (incoming, outgoing) => {
        this.#onRequest(incoming, outgoing).catch((error: unknown) => {
          outgoing.destroy()
          options.onFailure(error)
        })
      },
    )
    this.#server.on('connection', (socket: Socket) => this.#connections.add(socket))
  }

  /** Rejects with a `start` failure when the port is taken, or there is no page in the folder. */
  static async start(options: WebServerOptions): Promise<WebServer> {
    const assets = await Assets.load(options.assets)
    const server = new WebServer(options)
    try {
      await server.#listen(assets)
    } catch (error) {
      server.#events.close()
      throw error
    }
    return server
  }

  get port(): number {
    return this.#port
  }

  /** How many pages listen for events. */
  get listening(): number {
    return this.#events.count
  }

  /** A link that opens the page once, within two minutes. */
  link(): string {
    return `http://127.0.0.1:${this.#port}/open?token=${this.#access.issue()}`
  }

  /** Ends all connections. What pages asked for goes on. */
  async close(): Promise<void> {
    this.#events.close()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  /** Cookies are of a host, whatever the port: each client on this machine has its own. */
  get #cookieName(): string {
    return `coterie-${this.#port}`
  }

  async #listen(assets: Assets): Promise<void> {
    const { operations, reading, dropFolder, dropSilenceMs, port: wanted, onFailure } = this.#options
    const { port } = await listenOn(this.#server, { host: '127.0.0.1', port: wanted })
    this.#server.on('error', onFailure)
    this.#port = port
    this.#application = applicationOf({
      port,
      access: this.#access,
      assets,
      operations,
      reading,
      dropFolder,
      dropSilenceMs,
      events: this.#events,
      cookieName: this.#cookieName,
    })
  }

  async #onRequest(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { socket } = incoming
    if (!this.#connections.begin(socket)) {
      socket.destroy()
      return
    }
    outgoing.once('finish', () => this.#connections.end(socket))
    const gone = new AbortController()
    outgoing.once('close', () => gone.abort())
    const isKnown = this.#access.knows(cookieIn(incoming.headers, this.#cookieName) ?? '')
    if (isKnown) this.#connections.onKnown(socket)
    await (isKnown ? this.#rates.known : this.#rates.strangers).take(1)
    if (socket.destroyed || this.#application === undefined) return
    const request = requestOf(incoming)
    const response =
      'code' in request
        ? refusalResponse(request, false)
        : await this.#application.fetch(request, { incoming, isKnown, gone: gone.signal })
    await sendResponse(response, incoming, outgoing)
  }
}

/**
 * What the application reads of a request: hono chooses by these two, and headers and body are those of Node. A whole Request
 * takes longer to make than a short answer. Its host is not looked at there.
 */
function requestOf({ method = '', url = '' }: IncomingMessage): Request | WebRefusal {
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST')
    return webRefusal('wrong-method', `the method ${method} was refused; pages here use GET and POST`)
  const address = `http://127.0.0.1${url}`
  // A proxy is asked for whole addresses.
  if (url.startsWith('/') && URL.canParse(address)) return { method, url: new URL(address).href } as Request
  return webRefusal('bad-request', 'a request for something elsewhere was refused: this is no proxy')
}
