// Sends the bytes of entries to the page, no faster than it takes them, and as they arrive.

import type { IncomingHttpHeaders } from 'node:http'
import { Failure } from '../../common/failure.ts'
import type { AskedContent, ContentReading, ReadableContent } from '../../client/readable-content.ts'
import { rangeIn, type ByteRange } from '../http/byte-range.ts'
import { shownType } from './media-types.ts'
import { webRefusal, type WebRefusal } from './refusals.ts'
import { foreignPolicy } from '../http/security-headers.ts'
import { pageLimits } from './limits.ts'

export class FileStreams {
  readonly #reading: ContentReading
  #count = 0

  constructor(reading: ContentReading) {
    this.#reading = reading
  }

  /** `headers`: of the request, which may ask for a range. `gone`: aborts when nobody waits for the answer. */
  async send(
    asked: AskedContent,
    headers: IncomingHttpHeaders,
    gone: AbortSignal,
  ): Promise<Response | WebRefusal> {
    if (this.#count >= pageLimits.fileStreams)
      return webRefusal('too-many', 'too many files are being looked at; close some of them')
    this.#count++
    const over = new AbortController()
    over.signal.addEventListener('abort', () => this.#count--, { once: true })
    const end = (): void => over.abort()
    gone.addEventListener('abort', end)
    if (gone.aborted) end()
    let sent: Response | WebRefusal | undefined
    try {
      const opened = await this.#reading.open(asked, over.signal)
      sent = opened.ok
        ? await respond(opened.value, headers, end)
        : webRefusal('no-such-thing', opened.refusal.sentence)
      return sent
    } catch (error) {
      // It is not here, and does not come.
      if (error instanceof Failure) return webRefusal('no-such-thing', error.message)
      throw error
    } finally {
      if (!(sent instanceof Response)) end()
    }
  }
}

/** `onEnd` is called when nothing is read any more. Rejects with a failure when its first bytes cannot be read. */
async function respond(
  content: ReadableContent,
  { range, 'if-range': ifRange }: IncomingHttpHeaders,
  onEnd: () => void,
): Promise<Response | WebRefusal> {
  const { name, sizeBytes } = content
  const tag = `"${content.tag}"`
  // A part of other bytes is of no use.
  const asked = ifRange === undefined || ifRange === tag ? rangeIn(range, sizeBytes) : undefined
  if (asked === 'none')
    return webRefusal(
      'no-such-range',
      `a part of ${name} beyond its end was asked for; it has ${sizeBytes} bytes`,
    )
  const { from, to } = asked ?? { from: 0, to: sizeBytes }
  const type = shownType(name)
  const headers: Record<string, string> = {
    'content-type': type ?? 'application/octet-stream',
    'content-length': String(to - from),
    'content-disposition': `${type === undefined ? 'attachment' : 'inline'}; filename*=UTF-8''${encoded(name)}`,
    'content-security-policy': foreignPolicy,
    'cache-control': 'no-store',
    'accept-ranges': 'bytes',
    etag: tag,
  }
  if (asked !== undefined) headers['content-range'] = `bytes ${from}-${to - 1}/${sizeBytes}`
  // Read before anything is said: later there is no way to tell what is wrong.
  const first = from < to ? await content.read(from) : Buffer.alloc(0)
  const body = bytesOf(content, { from, to }, first, onEnd)
  return new Response(body, { status: asked === undefined ? 200 : 206, headers })
}

/** Reads a piece when the one before has been taken. */
function bytesOf(
  content: ReadableContent,
  { from, to }: ByteRange,
  first: Buffer,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  let at = from
  let next: Buffer | undefined = first
  return new ReadableStream<Uint8Array>(
    {
      async pull(stream) {
        try {
          const bytes = (next ?? (await content.read(at))).subarray(0, to - at)
          next = undefined
          at += bytes.length
          if (bytes.length > 0) stream.enqueue(bytes)
        } catch (error) {
          onEnd()
          throw error
        }
        if (at < to) return
        onEnd()
        stream.close()
      },
      cancel: onEnd,
    },
    { highWaterMark: 0 },
  )
}

/** As RFC 8187 has it. */
function encoded(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
