// The connecting side of a protocol: sends requests, matches answers to them, and passes on notifications.

import * as v from 'valibot'
import { Failure } from '../failure.ts'
import { deadAfterMs, pingAfterMs, requestTimeoutMs } from '../limits.ts'
import type { Answer, Refusal } from '../refusal.ts'
import type { Channel } from './channel.ts'
import { classify, notificationMessage, requestMessage, type Message } from './messages.ts'
import type { Method, Params, Protocol, Result, Told, ToldParams } from './methods.ts'

export interface CallerEvents<P extends Protocol> {
  /** Notifications from the responder, already validated against the table. */
  onTold: { [M in Told<P, 'toCaller'>]: (params: ToldParams<P, 'toCaller', M>) => void }
  /** Called once, after every pending request has been rejected. */
  onClosed(reason: Failure): void
  onBytes?(count: number): void
}

/** For a caller to whom notifications say nothing. */
export function unheard<P extends Protocol>({ toCaller }: P): CallerEvents<P>['onTold'] {
  const ignored = Object.keys(toCaller).map((method) => [method, () => undefined])
  return Object.fromEntries(ignored) as CallerEvents<P>['onTold']
}

export interface RequestOptions<R = unknown> {
  /** Rejects the request with a `timeout` failure after this long without an answer. 0: waits forever. */
  timeoutMs?: number
  /** Receives the id of the request, for notifications that refer to it. */
  onSent?: (id: number) => void
  /** Returns the buffer for the body. Called once its size is known, before its first byte is read. */
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
  /** The request whose body is arriving. */
  #receiving: number | undefined
  #nextId = 0
  #lastWord: Refusal | undefined

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
   * Sends a request and resolves to its answer, a value or a refusal. Rejects with a failure when no
   * answer comes (`connection-lost`, `timeout`) or the answer breaks the protocol (`protocol`).
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

  /** The last refusal that answers no request, such as why the connection is turned away. */
  get lastWord(): Refusal | undefined {
    return this.#lastWord
  }

  /** Sends the responder a notification. */
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
      if (message.id === null) this.#lastWord = message.refusal
      else this.#take(message.id)?.resolve({ ok: false, refusal: message.refusal })
    } else {
      this.channel.close(new Failure('protocol', 'the other end sent a malformed message'))
    }
  }

  #onNotification(method: string, params: unknown): void {
    // An unknown notification comes from a newer program and is ignored.
    if (!Object.hasOwn(this.#protocol.toCaller, method)) return
    const schema = this.#protocol.toCaller[method]
    const parsed = schema === undefined ? undefined : v.safeParse(schema, params)
    if (parsed === undefined) return
    if (!parsed.success) {
      this.channel.close(new Failure('protocol', `the other end sent a malformed ${method}`))
      return
    }
    this.#events.onTold[method as Told<P, 'toCaller'>](parsed.output as never)
  }

  #onResult(id: number, result: unknown, hasBody: boolean): void {
    const pending = this.#take(id)
    if (pending === undefined) return
    const spec = this.#protocol.requests[pending.method]
    const parsed = spec === undefined ? undefined : v.safeParse(spec.result, result)
    // Without its body, a result would pass off the old content of the buffer as the answer.
    const isWhole = hasBody || spec?.bodyBytesMax === undefined
    if (parsed?.success === true && isWhole) pending.resolve({ ok: true, value: parsed.output })
    else pending.reject(wrongShape(pending.method))
  }

  /** A body whose request has timed out is still read, into a throwaway buffer, so the stream stays in step. */
  #bodyBuffer(message: Message, bytes: number): Uint8Array {
    if (message.kind !== 'result') throw new Failure('protocol', 'bytes after a message that is not a result')
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
   * While a body is arriving, its buffer belongs to the socket: after a timeout the owner would reuse it, and late
   * bytes would overwrite the new content. So such a request stays open while bytes arrive; when they stop, the whole
   * connection is closed.
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

  /** Pings even when only sending is idle: the other end takes a silent caller for dead. */
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
