// The accepting side of a protocol: validates every message against the table, checks whether it is
// allowed at this stage, calls its handler and sends the answer. Every request gets an answer or a closed
// socket.

import * as v from 'valibot'
import { Failure } from '../failure.ts'
import { deadAfterMs, firstLineTimeoutMs, lineBytesMax, requestsInFlightMax } from '../limits.ts'
import { refuse, type Answer, type Refusal, type RefusalCode } from '../refusal.ts'
import type { Channel } from './channel.ts'
import {
  bulkResultMessage,
  classify,
  errorMessage,
  notificationMessage,
  resultMessage,
  type Message,
} from './messages.ts'
import type { Method, Needs, Params, Protocol, Result, Told, ToldParams } from './methods.ts'

export type Handlers<P extends Protocol, S> = {
  [M in Method<P>]: (
    params: Params<P, M>,
    session: S,
    requestId: number,
  ) =>
    Answer<Result<P, M>> | Promise<Answer<Result<P, M>> | typeof answeredElsewhere> | typeof answeredElsewhere
}

/** Returned by a handler that answers through `beginBulk` or `answer`, now or later. */
export const answeredElsewhere = Symbol('answered elsewhere')

export interface ResponderOptions<P extends Protocol, S> {
  protocol: P
  session: S
  handlers: Handlers<P, S>
  onTold: { [M in Told<P, 'toResponder'>]: (params: ToldParams<P, 'toResponder', M>, session: S) => void }
  /** The stage this connection has reached. Read before every request. */
  stage: () => Needs
  onClosed: (reason: Failure) => void
  /** A handler threw: a bug or a broken system, for the log. The caller is refused as `unavailable`. */
  onFailure: (error: unknown) => void
  /** A handler's answer was sent, for the metrics. */
  onAnswered?: (method: string, startedAtMs: number) => void
  /** A refusal was sent, including one that no handler saw. */
  onRefused?: (code: RefusalCode) => void
}

const order: Readonly<Record<Needs, number>> = { nothing: 0, hello: 1, login: 2 }

export class Responder<P extends Protocol, S> {
  readonly channel: Channel
  readonly #options: ResponderOptions<P, S>
  readonly #firstLine: NodeJS.Timeout
  readonly #watch: NodeJS.Timeout
  #inFlight = 0

  constructor(channel: Channel, options: ResponderOptions<P, S>) {
    this.channel = channel
    this.#options = options
    this.#firstLine = setTimeout(() => this.close('no first line in time'), firstLineTimeoutMs)
    this.#watch = setInterval(() => this.#watchIdle(), deadAfterMs / 3)
    this.#firstLine.unref()
    this.#watch.unref()
    channel.listen({
      onFrame: (frame) => this.#onMessage(classify(frame.message)),
      onMalformed: () => this.#refuse(null, refuse('parse-error', 'this line is not JSON').refusal),
      bodyBuffer: () => {
        throw new Failure('protocol', 'bytes after a message that takes none')
      },
      onClosed: (reason) => {
        clearTimeout(this.#firstLine)
        clearInterval(this.#watch)
        options.onClosed(reason)
      },
    })
  }

  tell<M extends Told<P, 'toCaller'>>(method: M, params: ToldParams<P, 'toCaller', M>): void {
    this.channel.send(notificationMessage(method, params))
  }

  /** Sends the line of an answer with a body. Send the `bytes` raw bytes next, by `channel.sendBytes`. */
  beginBulk(requestId: number, result: unknown, bytes: number): void {
    this.channel.beginBulk(bulkResultMessage(requestId, result, bytes), bytes)
  }

  /** Answers a request whose handler returned `answeredElsewhere`. */
  answer(requestId: number, answer: Answer<unknown>): void {
    if (answer.ok) this.channel.send(resultMessage(requestId, answer.value))
    else this.#refuse(requestId, answer.refusal)
  }

  close(sentence: string): void {
    this.channel.close(new Failure('connection-lost', sentence))
  }

  #onMessage(message: Message): void {
    clearTimeout(this.#firstLine)
    if (message.kind === 'request') this.#onRequest(message.id, message.method, message.params)
    else if (message.kind === 'notification') this.#onNotification(message.method, message.params)
    else this.#refuse(null, refuse('invalid-request', 'this is not a JSON-RPC 2.0 request').refusal)
    if (order[this.#options.stage()] === 0) this.#requireHello()
  }

  /** Closes a connection whose first message was not `hello`: it speaks another protocol. */
  #requireHello(): void {
    if (this.#inFlight === 0) this.close('the first request was not a hello')
  }

  #onRequest(id: number, method: string, params: unknown): void {
    const spec = Object.hasOwn(this.#options.protocol.requests, method)
      ? this.#options.protocol.requests[method]
      : undefined
    if (spec === undefined) {
      this.#refuse(id, refuse('unknown-method', 'there is no such method').refusal)
      return
    }
    const missing = this.#missing(spec.needs)
    const parsed = missing === undefined ? v.safeParse(spec.params, params) : undefined
    if (missing !== undefined) this.#refuse(id, missing)
    else if (parsed?.success === true) this.#handle(id, method, parsed.output as Params<P, Method<P>>)
    else
      this.#refuse(id, refuse('invalid-params', `invalid params for ${method}: ${issueOf(parsed)}`).refusal)
  }

  #missing(needs: Needs): Refusal | undefined {
    const stage = this.#options.stage()
    if (order[stage] >= order[needs]) return undefined
    if (order[stage] === 0) return refuse('hello-first', 'the first request must be hello').refusal
    return refuse('login-first', 'log in first').refusal
  }

  #handle(id: number, method: Method<P>, params: Params<P, Method<P>>): void {
    const startedAtMs = performance.now()
    const answered = (answer: Answer<unknown> | typeof answeredElsewhere): void => {
      if (answer === answeredElsewhere) return
      this.answer(id, answer)
      this.#options.onAnswered?.(method, startedAtMs)
    }
    const failed = (error: unknown): void => {
      this.#options.onFailure(error)
      this.#refuse(id, refuse('unavailable', 'this is not possible at the moment').refusal)
    }
    try {
      const answer = this.#options.handlers[method](params, this.#options.session, id)
      if (answer instanceof Promise) {
        this.#begin()
        answer
          .then(answered)
          .catch(failed)
          .finally(() => this.#end())
      } else answered(answer)
    } catch (error) {
      failed(error)
    }
  }

  #begin(): void {
    this.#inFlight++
    if (this.#inFlight === requestsInFlightMax) this.channel.socket.pause()
  }

  #end(): void {
    if (this.#inFlight === requestsInFlightMax) this.channel.socket.resume()
    this.#inFlight--
  }

  #onNotification(method: string, params: unknown): void {
    const { protocol, onTold, session } = this.#options
    if (order[this.#options.stage()] === 0 || !Object.hasOwn(protocol.toResponder, method)) return
    const schema = protocol.toResponder[method]
    const parsed = schema === undefined ? undefined : v.safeParse(schema, params)
    if (parsed?.success === true) onTold[method as Told<P, 'toResponder'>](parsed.output as never, session)
  }

  #refuse(id: number | null, refusal: Refusal): void {
    this.#options.onRefused?.(refusal.code)
    this.channel.send(errorMessage(id, refusal))
  }

  /** A live caller pings an idle connection, so one silent for longer is gone. */
  #watchIdle(): void {
    if (performance.now() - this.channel.lastHeardAtMs > deadAfterMs) this.close('silent for too long')
  }
}

/** Raises the limit for lines: after login they may be as long as a listing needs. */
export function allowLongLines(channel: Channel): void {
  channel.reader.options.lineBytesMax = lineBytesMax
}

function issueOf(parsed: v.SafeParseResult<v.GenericSchema> | undefined): string {
  const issue = parsed?.issues?.[0]
  if (issue === undefined) return 'unreadable'
  const where = v.getDotPath(issue)
  return `${where === null ? '' : `"${where}": `}${issue.message}`.slice(0, 300)
}
