// The connecting side of a protocol: asks, matches answers to questions, hears notifications.

import * as v from 'valibot'
import { Failure } from '../failure.ts'
import { deadAfterMs, pingAfterMs, requestTimeoutMs } from '../limits.ts'
import type { Answer } from '../refusal.ts'
import type { Channel } from './channel.ts'
import { classify, notificationMessage, requestMessage, type Message } from './messages.ts'
import type { Method, Params, Protocol, Result, Told, ToldParams } from './methods.ts'

export interface CallerEvents<P extends Protocol> {
  /** What the responder tells unasked, already held against the table. */
  onTold: { [M in Told<P, 'toCaller'>]: (params: ToldParams<P, 'toCaller', M>) => void }
  /** Called once. Every open request has been rejected before. */
  onClosed(reason: Failure): void
  onBytes?(count: number): void
}

export interface RequestOptions<R = unknown> {
  /** Without an answer for so long, the request is rejected with a `timeout` failure. 0: wait for ever. */
  timeoutMs?: number
  /** The id the request went out with, for a notification that speaks of it. */
  onSent?: (id: number) => void
  /** Where the bytes behind the result go. Called when their number is known, before the first is read. */
  bodyBuffer?: (bytes: number, result: R) => Uint8Array
}

interface Pending {
  readonly method: string
  readonly resolve: (answer: Answer<unknown>) => void
  readonly reject: (failure: Failure) => void
  timer: NodeJS.Timeout | undefined
  readonly bodyBuffer: ((bytes: number, result: never) => Uint8Array) | undefined
}

export class Caller<P extends Protocol> {
  readonly channel: Channel
  readonly #protocol: P
  readonly #events: CallerEvents<P>
  readonly #pending = new Map<number, Pending>()
  readonly #watch: NodeJS.Timeout
  /** The request whose body is arriving right now. */
  #receiving: number | undefined
  #nextId = 0

  constructor(channel: Channel, protocol: P, events: CallerEvents<P>) {
    this.channel = channel
    this.#protocol = protocol
    this.#events = events
    this.#watch = setInterval(() => this.#watchIdle(), pingAfterMs)
    this.#watch.unref()
    channel.listen({
      onFrame: (frame) => this.#onMessage(classify(frame.message), frame.body !== undefined),
      onMalformed: () => channel.close(new Failure('protocol', 'the other end sent a line that is not JSON')),
      bodyBuffer: (message, bytes) => this.#bodyBuffer(classify(message), bytes),
      onClosed: (reason) => this.#onClosed(reason),
      onBytes: (count) => events.onBytes?.(count),
    })
  }

  /**
   * Asks, and waits for the answer: a value or a refusal. Rejects with a failure when there is no
   * answer (`connection-lost`, `timeout`) or one that the protocol does not allow (`protocol`).
   */
  request<M extends Method<P>>(
    method: M,
    params: Params<P, M>,
    options: RequestOptions<Result<P, M>> = {},
  ): Promise<Answer<Result<P, M>>> {
    return new Promise((resolve, reject) => {
      if (this.channel.isClosed) {
        reject(new Failure('connection-lost', 'the connection is closed'))
        return
      }
      const id = this.#nextId++
      const timeoutMs = options.timeoutMs ?? requestTimeoutMs
      this.#pending.set(id, {
        method,
        resolve,
        reject,
        timer: timeoutMs === 0 ? undefined : setTimeout(() => this.#onTimeout(id, timeoutMs), timeoutMs),
        bodyBuffer: options.bodyBuffer,
      })
      this.channel.send(requestMessage(id, method, params))
      options.onSent?.(id)
    })
  }

  /** Tells the responder something that needs no answer. */
  tell<M extends Told<P, 'toResponder'>>(method: M, params: ToldParams<P, 'toResponder', M>): void {
    this.channel.send(notificationMessage(method, params))
  }

  close(sentence = 'closed by this end'): void {
    this.channel.close(new Failure('connection-lost', sentence))
  }

  #onMessage(message: Message, hasBody: boolean): void {
    this.#receiving = undefined
    if (message.kind === 'notification') {
      this.#onNotification(message.method, message.params)
    } else if (message.kind === 'result') {
      this.#onResult(message.id, message.result, hasBody)
    } else if (message.kind === 'error') {
      if (message.id !== null) this.#take(message.id)?.resolve({ ok: false, refusal: message.refusal })
    } else {
      this.channel.close(new Failure('protocol', 'the other end sent a message of the wrong shape'))
    }
  }

  #onNotification(method: string, params: unknown): void {
    // A notification that this program does not know comes from a newer one: not an error.
    if (!Object.hasOwn(this.#protocol.toCaller, method)) return
    const schema = this.#protocol.toCaller[method]
    const parsed = schema === undefined ? undefined : v.safeParse(schema, params)
    if (parsed === undefined) return
    if (!parsed.success) {
      this.channel.close(new Failure('protocol', `the other end sent a ${method} of the wrong shape`))
      return
    }
    this.#events.onTold[method as Told<P, 'toCaller'>](parsed.output as never)
  }

  #onResult(id: number, result: unknown, hasBody: boolean): void {
    const pending = this.#take(id)
    if (pending === undefined) return
    const spec = this.#protocol.requests[pending.method]
    const parsed = spec === undefined ? undefined : v.safeParse(spec.result, result)
    // A result that promises bytes and brings none would leave its buffer as it was, and look like an answer.
    const isWhole = hasBody || spec?.bodyBytesMax === undefined
    if (parsed?.success === true && isWhole) pending.resolve({ ok: true, value: parsed.output })
    else pending.reject(wrongShape(pending.method))
  }

  /** The body of an answer that came too late still has to be read, to stay in step: into a buffer to forget. */
  #bodyBuffer(message: Message, bytes: number): Uint8Array {
    if (message.kind !== 'result') throw new Failure('protocol', 'bytes behind a message that is no result')
    const pending = this.#pending.get(message.id)
    const max =
      pending === undefined
        ? Math.max(0, ...Object.values(this.#protocol.requests).map((request) => request.bodyBytesMax ?? 0))
        : (this.#protocol.requests[pending.method]?.bodyBytesMax ?? 0)
    if (bytes > max) throw new Failure('protocol', `a body of ${bytes} bytes, at most ${max} are allowed`)
    this.#receiving = message.id
    if (pending?.bodyBuffer === undefined) return Buffer.allocUnsafe(bytes)
    const spec = this.#protocol.requests[pending.method]
    const parsed = spec === undefined ? undefined : v.safeParse(spec.result, message.result)
    if (parsed?.success !== true) throw wrongShape(pending.method)
    return pending.bodyBuffer(bytes, parsed.output as never)
  }

  /**
   * The buffer of a body that is arriving belongs to the socket: who was told "timeout" would use it
   * again, and the late bytes would overwrite what is there by then. So such a request goes on while
   * bytes come, and when they stop, the connection ends with it.
   */
  #onTimeout(id: number, timeoutMs: number): void {
    const pending = this.#pending.get(id)
    if (pending === undefined) return
    const failure = new Failure('timeout', `no answer to ${pending.method} in time`)
    const silentMs = performance.now() - this.channel.lastHeardAtMs
    if (this.#receiving !== id) this.#take(id)?.reject(failure)
    else if (silentMs < timeoutMs) {
      pending.timer = setTimeout(() => this.#onTimeout(id, timeoutMs), timeoutMs - silentMs)
    } else this.channel.close(failure)
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    if (pending === undefined) return undefined
    this.#pending.delete(id)
    clearTimeout(pending.timer)
    return pending
  }

  /** Also who only listens must be heard: the other end takes a caller that sends nothing for dead. */
  #watchIdle(): void {
    const { lastHeardAtMs, lastSentAtMs } = this.channel
    const now = performance.now()
    if (now - lastHeardAtMs > deadAfterMs) this.close('the other end has been silent for too long')
    else if (now - Math.min(lastHeardAtMs, lastSentAtMs) > pingAfterMs - 1)
      this.channel.send(requestMessage(this.#nextId++, 'ping', {}))
  }

  #onClosed(reason: Failure): void {
    clearInterval(this.#watch)
    for (const id of this.#pending.keys()) this.#take(id)?.reject(reason)
    this.#events.onClosed(reason)
  }
}

function wrongShape(method: string): Failure {
  return new Failure('protocol', `the answer to ${method} has the wrong shape`)
}
