// Sends an answer of the application over Node's HTTP, no faster than it is read.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Failure, systemCode } from '../../common/failure.ts'
import { securityHeaders } from './security-headers.ts'
import { TextResponse } from './text-response.ts'

/** Resolves when all was sent, or the other end has gone. Rejects for a bug. */
export async function sendResponse(
  response: Response,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { body, headers, status } = response
  for (const [name, value] of Object.entries(securityHeaders)) outgoing.setHeader(name, value)
  for (const [name, value] of headers) outgoing.setHeader(name, value)
  if (response instanceof TextResponse) {
    outgoing.writeHead(status, { 'content-length': Buffer.byteLength(response.whole) })
    outgoing.end(incoming.method === 'HEAD' ? undefined : response.whole)
    return
  }
  outgoing.writeHead(status)
  if (body === null || incoming.method === 'HEAD') {
    outgoing.end()
    await body?.cancel()
    return
  }
  outgoing.flushHeaders()
  try {
    await pipeline(Readable.fromWeb(body), outgoing)
  } catch (error) {
    // The other end has gone, or what was being sent could not be read: the connection is closed in the middle.
    if (!(error instanceof Failure) && systemCode(error) === undefined) throw error
  }
}
