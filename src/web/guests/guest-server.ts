// Serves guests over HTTPS: people without an account, who have a link.

import { constants } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { Socket } from 'node:net'
import type { GuestLinks } from '../../client/guest-links.ts'
import type { Address } from '../../common/addresses.ts'
import { listenOn } from '../../common/listening.ts'
import { networkOf, plainHost } from '../../common/networks.ts'
import { HandshakeTurns } from '../../common/wire/handshake-turns.ts'
import { sendResponse } from '../http/send-response.ts'
import { guestApplicationOf, nothing, said, type GuestApplication } from './guest-application.ts'
import { GuestPlaces } from './guest-places.ts'
import { guestLimits } from './limits.ts'

export interface GuestServerOptions {
  readonly listen: Address
  /** The key and the certificate, in PEM. */
  readonly pem: string
  readonly links: GuestLinks
  /** How long the headers of a request may take. */
  readonly headersWithinMs?: number
  /** A bug. */
  readonly onFailure: (error: unknown) => void
}

/** Those whose recordings no key opens later, and that notice each change. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'ECDHE+AESGCM',
  'ECDHE+CHACHA20',
].join(':')

const tls = {
  minVersion: 'TLSv1.2',
  ciphers,
  /** No other: by default a guest may choose a group that costs this end 150 ms of its processor. */
  ecdhCurve: 'X25519:P-256',
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
} as const

export class GuestServer {
  readonly #application: GuestApplication
  readonly #places = new GuestPlaces()
  readonly #server: Server
  /** Whoever only connects costs nothing, so any number may be unfinished. */
  readonly #handshakes = new HandshakeTurns()
  /** By where they come from, since a request knows the encrypted end of its connection only. */
  readonly #came = new Map<string, Socket>()
  #port = 0

  private constructor(options: GuestServerOptions) {
    this.#application = guestApplicationOf(options.links)
    const { pem, headersWithinMs = guestLimits.headersWithinMs, onFailure } = options
    this.#server = createServer(
      {
        ...tls,
        pauseOnConnect: true,
        ...{ key: pem, cert: pem },
        handshakeTimeout: guestLimits.handshakeWithinMs,
        headersTimeout: headersWithinMs,
        requestTimeout: headersWithinMs,
        connectionsCheckingInterval: headersWithinMs / 4,
        keepAliveTimeout: guestLimits.idleMs,
        maxHeaderSize: guestLimits.headerBytes,
        insecureHTTPParser: false,
        // Looked at here: Node would answer, and go on with what stands behind.
        requireHostHeader: false,
      },
      (incoming, outgoing) => {
        this.#onRequest(incoming, outgoing).catch((error: unknown) => {
          outgoing.destroy()
          onFailure(error)
        })
      },
    )
    this.#server.maxHeadersCount = guestLimits.headers
    this.#server.maxRequestsPerSocket = guestLimits.requestsOfConnection
    this.#server.timeout = guestLimits.silentMs
    // Whoever speaks no TLS, or gives up.
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy())
    // In place of the handshake, which begins when its turn comes.
    const shakeHands = this.#server.listeners('connection')
    this.#server.removeAllListeners('connection')
    this.#server.on('connection', (socket: Socket) =>
      this.#onConnection(socket, () => {
        for (const begin of shakeHands) begin.call(this.#server, socket)
      }),
    )
  }

  /** Rejects with a `start` failure when the address is not available. */
  static async start(options: GuestServerOptions): Promise<GuestServer> {
    const server = new GuestServer(options)
    server.#port = (await listenOn(server.#server, options.listen)).port
    server.#server.on('error', options.onFailure)
    return server
  }

  get port(): number {
    return this.#port
  }

  /** Connections at the moment. */
  get connections(): number {
    return this.#places.count
  }

  /** Shows another certificate from now on. */
  show(pem: string): void {
    this.#server.setSecureContext({ ...tls, key: pem, cert: pem })
  }

  /** Ends all connections. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      for (const socket of this.#came.values()) socket.destroy()
    })
  }

  #onConnection(socket: Socket, shakeHands: () => void): void {
    const network = networkOf(plainHost(socket.remoteAddress ?? ''))
    socket.on('error', () => socket.destroy())
    if (!this.#places.admit(socket, network)) {
      socket.destroy()
      return
    }
    const key = keyOf(socket)
    this.#came.set(key, socket)
    socket.once('close', () => {
      if (this.#came.get(key) === socket) this.#came.delete(key)
    })
    this.#handshakes.ask(network, () => {
      if (!socket.destroyed) shakeHands()
      return !socket.destroyed
    })
  }

  async #onRequest(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const socket = this.#came.get(keyOf(incoming.socket))
    if (socket === undefined || !this.#places.begin(socket)) {
      incoming.socket.destroy()
      return
    }
    const guest = networkOf(plainHost(incoming.socket.remoteAddress ?? ''))
    const over = new AbortController()
    outgoing.once('close', () => {
      this.#places.end(socket)
      over.abort()
    })
    await this.#places.takeTurn(guest)
    if (socket.destroyed) return
    const request = requestOf(incoming)
    const beginTransfer = (): boolean => {
      const begun = this.#places.beginTransfer(socket, guest)
      if (begun !== undefined) over.signal.addEventListener('abort', begun.onOver, { once: true })
      return begun !== undefined
    }
    const response =
      request instanceof Request
        ? await this.#application.fetch(request, { incoming, guest, gone: over.signal, beginTransfer })
        : request
    response.headers.set('x-robots-tag', 'noindex')
    await sendResponse(response, incoming, outgoing)
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

/** As the application takes it. The name under which this server was asked is not looked at, and nowhere repeated. */
function requestOf({ method = '', url = '', headers, httpVersion }: IncomingMessage): Request | Response {
  if (headers.host === undefined && httpVersion !== '1.0')
    return said(400, 'a request that names no host was refused')
  const address = `https://guests.invalid${url}`
  if (!url.startsWith('/') || !URL.canParse(address)) return nothing()
  if (method !== 'GET' && method !== 'HEAD')
    return said(405, 'only GET and HEAD are answered', { allow: 'GET, HEAD' })
  return new Request(address, { method })
}
