// Answers Prometheus over HTTP, on this machine only: the counts reveal when people are active, and there is no login
// here.

import { createServer, type Server } from 'node:http'
import type { Address } from '../addresses.ts'
import { listenOn } from '../listening.ts'
import { exposition, expositionType, type Family } from './exposition.ts'

/** More than any monitoring opens, and few enough to cost nothing. */
const connectionsMax = 16
/** A scrape is one short request. */
const requestTimeoutMs = 5_000

export class MetricsServer {
  readonly #server: Server

  /** `families` is asked at every scrape. */
  constructor(families: () => Family[]) {
    this.#server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
      const isRead = request.method === 'GET' || request.method === 'HEAD'
      if (!isRead || request.url?.split('?')[0] !== '/metrics') {
        response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('see /metrics\n')
        return
      }
      const text = exposition(families())
      response.writeHead(200, { 'content-type': expositionType, 'content-length': Buffer.byteLength(text) })
      response.end(request.method === 'HEAD' ? undefined : text)
    })
    this.#server.maxConnections = connectionsMax
  }

  /** The address with the port that was really taken. Rejects with a `start` failure. */
  listen(port: number): Promise<Address> {
    return listenOn(this.#server, { host: '127.0.0.1', port })
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }
}
