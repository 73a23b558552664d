// Sends the bytes of entries to the page, no faster than it takes them, and as they arrive.

import type { IncomingHttpHeaders } from 'node:http'
import { Failure } from '../../common/failure.ts'
import type { AskedContent, ContentReading, ReadableContent } from '../../client/readable-content.ts'
import type { ByteRange } from '../http/byte-range.ts'
import { headersOf, partAsked, statusOf } from '../http/parts.ts'
import { shownType } from './media-types.ts'
import { webRefusal, type WebRefusal } from './refusals.ts'
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
  headers: IncomingHttpHeaders,
  onEnd: () => void,
): Promise<Response | WebRefusal> {
  const { name, sizeBytes, tag } = content
  const bytes = { name, sizeBytes, tag, shownType: shownType(name) }
  const part = partAsked(bytes, headers)
  if (part === undefined)
    return webRefusal(
      'no-such-range',
      `a part of ${name} beyond its end was asked for; it has ${sizeBytes} bytes`,
    )
  // Read before anything is said: later there is no way to tell what is wrong.
  const first = part.from < part.to ? await content.read(part.from) : Buffer.alloc(0)
  const body = bytesOf(content, part, first, onEnd)
  return new Response(body, { status: statusOf(part), headers: headersOf(bytes, part) })
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
