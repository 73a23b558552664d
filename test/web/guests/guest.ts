// A guest: fetches by a link, and takes nothing from a server with another certificate than the one that was named.

import { Agent, request } from 'node:https'
import type { TLSSocket } from 'node:tls'

export interface Guest {
  readonly url: string
  /** Undefined to take any. */
  readonly fingerprint?: string | undefined
}

export interface Fetched {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  readonly text: string
}

/** One request on a connection of its own. Rejects when it is cut in the middle. */
export function fetchAs(
  { url, fingerprint }: Guest,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
  onBegun: () => void = () => undefined,
): Promise<Fetched> {
  return new Promise((resolve, reject) => {
    const agent = new Agent()
    const sent = request(url, { method, headers, agent, rejectUnauthorized: false }, (response) => {
      const shown = (response.socket as TLSSocket).getPeerCertificate().fingerprint256
      if (fingerprint !== undefined && shown !== fingerprint) {
        sent.destroy(new Error(`the certificate is another one: ${shown}`))
        return
      }
      onBegun()
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        agent.destroy()
        const body = Buffer.concat(chunks)
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body,
          text: body.toString('utf8'),
        })
      })
    })
    sent.on('error', reject)
    sent.end()
  })
}
