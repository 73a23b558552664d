// Tells every page what happens, as server-sent events. What a page has not read yet is bounded: one that does not read is
// cut, and its browser asks again when it wakes up.

import type { ClientEvent } from '../../client/operations.ts'
import { pageLimits } from './limits.ts'

/** So that both ends notice when the other one has gone. */
const commentEveryMs = 15_000

interface EventStreamsOptions {
  /** What a page is told first. */
  readonly hello: () => object
  /** Adds a listener for events; call the result to remove it. */
  readonly subscribe: (listener: (event: ClientEvent) => void) => () => void
}

type Stream = ReadableStreamDefaultController<Uint8Array>

export class EventStreams {
  readonly #hello: EventStreamsOptions['hello']
  readonly #streams = new Set<Stream>()
  readonly #unsubscribe: () => void
  readonly #comments: NodeJS.Timeout

  constructor({ hello, subscribe }: EventStreamsOptions) {
    this.#hello = hello
    this.#unsubscribe = subscribe((event) => this.#tell(message('event', event)))
    this.#comments = setInterval(() => this.#tell(Buffer.from(':\n\n')), commentEveryMs).unref()
  }

  get count(): number {
    return this.#streams.size
  }

  /** Undefined when there are too many. */
  open(): Response | undefined {
    if (this.#streams.size >= pageLimits.eventStreams) return undefined
    let mine: Stream | undefined
    const body = new ReadableStream<Uint8Array>(
      {
        start: (stream) => {
          mine = stream
          this.#streams.add(stream)
          stream.enqueue(message('hello', this.#hello()))
        },
        cancel: () => void (mine && this.#streams.delete(mine)),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: pageLimits.unreadEventBytes }),
    )
    return new Response(body, {
      headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' },
    })
  }

  close(): void {
    clearInterval(this.#comments)
    this.#unsubscribe()
    for (const stream of this.#streams) stream.close()
    this.#streams.clear()
  }

  #tell(bytes: Uint8Array): void {
    for (const stream of this.#streams) {
      if ((stream.desiredSize ?? 0) >= bytes.length) {
        stream.enqueue(bytes)
        continue
      }
      this.#streams.delete(stream)
      stream.error(new Error('the page does not read its events'))
    }
  }
}

function message(event: string, data: unknown): Uint8Array {
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}
