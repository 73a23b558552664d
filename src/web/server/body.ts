// Reads the short body of a request.

import type { IncomingMessage } from 'node:http'
import { webRefusal, type WebRefusal } from './refusals.ts'
import { pageLimits } from './limits.ts'

const { bodyBytes: bodyBytesMax, bodyWithinMs } = pageLimits

/** Resolves to the text, or to why it was not read. What comes after a refusal is not read. */
export function readBody(incoming: IncomingMessage): Promise<string | WebRefusal> {
  const tooLong = webRefusal(
    'too-long',
    `a request of more than ${bodyBytesMax} bytes was refused; the page sends less`,
  )
  if (Number(incoming.headers['content-length'] ?? 0) > bodyBytesMax) return Promise.resolve(tooLong)
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let count = 0
    const end = (result: string | WebRefusal): void => {
      clearTimeout(timer)
      incoming.off('data', onData).pause()
      resolve(result)
    }
    const onData = (chunk: Buffer): void => {
      count += chunk.length
      if (count > bodyBytesMax) end(tooLong)
      else chunks.push(chunk)
    }
    const timer = setTimeout(
      () => end(webRefusal('too-slow', 'the rest of a request did not come in time; send it again')),
      bodyWithinMs,
    )
    incoming
      .on('data', onData)
      .once('end', () => end(Buffer.concat(chunks).toString('utf8')))
      .once('close', () => end(webRefusal('bad-request', 'a request ended in the middle')))
  })
}
