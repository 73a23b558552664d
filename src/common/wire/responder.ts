// The accepting side of a protocol: reads messages, checks them, and gives each request to its handler when its turn has
// come. Handlers of a connection begin in the order of its requests. Every request gets an answer or a closed socket.

import * as v from 'valibot'
import { Failure } from '../failure.ts'
import { deadAfterMs, firstLineTimeoutMs } from '../limits.ts'
import { refuse, type Answer, type Refusal, type RefusalCode } from '../refusal.ts'
import type { Channel } from './channel.ts'
import { announcesBody, parseLine } from './frames.ts'
import {
  bulkResultMessage,
  classify,
  errorMessage,
  type EncodedResult,
  notificationMessage,
  resultLine,
  type Message,
} from './messages.ts'
import type { Method, Params, Protocol, RequestSpec, Result, Stage, Told, ToldParams } from './methods.ts'
import { RequestQueue, type Item, type RequestQueueOptions } from './request-queue.ts'

type Given<R> = Answer<R | EncodedResult<R>> | typeof answeredElsewhere

export type Handlers<P extends Protocol, F> = {
  [M in Method<P>]: (
    params: Params<P, M>,
    from: F,
    requestId: number,
  ) => Given<Result<P, M>> | Promise<Given<Result<P, M>>>
}

/** Returned by a handler that answers through `beginBulk` or `answer`, now or later. */
export const answeredElsewhere = Symbol('answered elsewhere')

export interface ResponderOptions<P extends Protocol, F> extends RequestQueueOptions {
  protocol: P
  /** Who asks on this connection: handed to every handler. */
  from: F
  handlers: Handlers<P, F>
  onTold: { [M in Told<P, 'toResponder'>]: (params: ToldParams<P, 'toResponder', M>, from: F) => void }
  /** The stage this connection has reached. Read when a request's turn has come. */
  stage: () => Stage
  onClosed: (reason: Failure) => void
  /** A handler threw: a bug or a broken system, for the log. The caller is refused as `unavailable`. */
  onFailure: (error: unknown) => void
  /** The cost of a notification, in microseconds, besides reading it. */
  costOfTold?: { [M in Told<P, 'toResponder'>]?: (params: ToldParams<P, 'toResponder', M>) => number }
  /** A handler's answer was sent, for the metrics. */
  onAnswered?: (method: string, startedAtMs: number) => void
  /** A refusal was sent, including one that no handler saw. */
  onRefused?: (code: RefusalCode) => void
}

interface Request<P extends Protocol> {
  readonly id: number
  readonly method: Method<P>
  readonly params: unknown
  readonly spec: RequestSpec
  readonly arrivedAtMs: number
}

/** The cheapest kind of item. */
const light = { cost: 5, mutates: false, reads: false }
/** Microseconds to parse a character of a line: a thousand small arrays take longer than one long text. */
const costPerCharacter = 0.02

const bodyRefused = 'bytes after a message that takes none'

const order: Readonly<Record<Stage, number>> = { connected: 0, greeted: 1, proven: 2 }

export class Responder<P extends Protocol, F> {
  readonly channel: Channel
  readonly #options: ResponderOptions<P, F>
  readonly #queue: RequestQueue
  readonly #firstLine: NodeJS.Timeout
  readonly #watch: NodeJS.Timeout
  #hasHeardMessage = false
  /** Nothing more is accepted: malformed input ends the connection, once everything before it is answered. */
  #isOver = false

  constructor(channel: Channel, options: ResponderOptions<P, F>) {
    this.channel = channel
    this.#options = options
    this.#queue = new RequestQueue(channel, options, () => this.#checkGreeting())
    this.#firstLine = setTimeout(() => this.close('no first line in time'), firstLineTimeoutMs)
    this.#watch = setInterval(() => this.#watchIdle(), deadAfterMs / 3)
    this.#firstLine.unref()
    this.#watch.unref()
    channel.listen({
      onFrame: ({ message, lineLength }) => this.#onMessage(classify(message), lineLength),
      onLongLine: (line) => this.#onLongLine(line),
      onMalformed: () => this.#onMalformed(),
      bodyBuffer: () => {
        throw new Failure('protocol', bodyRefused)
      },
      onClosed: (reason) => {
        clearTimeout(this.#firstLine)
        clearInterval(this.#watch)
        this.#queue.clear()
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
    if (answer.ok) this.channel.sendLine(resultLine(requestId, answer.value))
    else this.#refuse(requestId, answer.refusal)
  }

  close(sentence: string): void {
    this.channel.close(new Failure('connection-lost', sentence))
  }

  #onMessage(message: Message, lineLength: number): void {
    if (this.#isOver) return
    this.#onFirst(message)
    this.#queue.add(this.#itemOf(message, lineLength * costPerCharacter))
    this.#checkGreeting()
  }

  /** What takes long to parse takes a turn for it, and then one of its own. */
  #onLongLine(line: string): void {
    if (this.#isOver) return
    clearTimeout(this.#firstLine)
    this.#queue.add({
      ...light,
      cost: line.length * costPerCharacter,
      begin: (onDone) => {
        this.#readLongLine(line)
        onDone()
      },
    })
  }

  #readLongLine(line: string): void {
    const parsed = parseLine(line)
    if (parsed === undefined) {
      this.#isOver = true
      this.#endAsMalformed()
    } else if (announcesBody(parsed.message)) {
      this.channel.close(new Failure('protocol', bodyRefused))
    } else {
      const message = classify(parsed.message)
      this.#onFirst(message)
      this.#queue.addNext(this.#itemOf(message, 0))
    }
  }

  /** Whatever does not begin with `hello` is another protocol: nothing more is accepted. */
  #onFirst(message: Message): void {
    clearTimeout(this.#firstLine)
    if (this.#hasHeardMessage) return
    this.#hasHeardMessage = true
    const isHello = message.kind === 'request' && message.method === 'hello'
    this.#isOver = !isHello && this.#options.stage() === 'connected'
  }

  #itemOf(message: Message, readCost: number): Item {
    if (message.kind === 'request') return this.#requestItem(message, readCost)
    if (message.kind === 'notification') return this.#notificationItem(message, readCost)
    return this.#refusalItem(null, refuse('invalid-request', 'this is not a JSON-RPC 2.0 request').refusal)
  }

  /** Input other than lines of JSON is another protocol, which may carry ours inside. */
  #onMalformed(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#queue.add({ ...light, begin: () => this.#endAsMalformed() })
  }

  #endAsMalformed(): void {
    this.#refuse(null, refuse('parse-error', 'this line is not JSON').refusal)
    this.channel.close(new Failure('protocol', 'a line that is not JSON'))
  }

  /** Closes a connection whose first message was not `hello`: it speaks another protocol. */
  #checkGreeting(): void {
    const isGreeted = order[this.#options.stage()] > 0
    if (!isGreeted && this.#queue.isIdle) this.close('the first request was not a hello')
  }

  #requestItem({ id, method, params }: Extract<Message, { kind: 'request' }>, readCost: number): Item {
    const { requests } = this.#options.protocol
    const spec = Object.hasOwn(requests, method) ? requests[method] : undefined
    if (spec === undefined) {
      return this.#refusalItem(id, refuse('unknown-method', 'there is no such method').refusal)
    }
    const { cost = 0, mutates = false, reads = false } = spec
    const request = { id, method: method as Method<P>, params, spec, arrivedAtMs: performance.now() }
    const begin = (onDone: () => void): void => this.#begin(request, onDone)
    return { method, params, cost: cost + readCost, mutates, reads, begin }
  }

  #refusalItem(id: number | null, refusal: Refusal): Item {
    return {
      ...light,
      begin: (onDone) => {
        this.#refuse(id, refusal)
        onDone()
      },
    }
  }

  /** Checks the stage now: the caller may have been logged out while it waited. */
  #begin(request: Request<P>, onDone: () => void): void {
    const { id, method, spec, params } = request
    const missing = this.#missing(spec.stage)
    const parsed = missing === undefined ? v.safeParse(spec.params, params) : undefined
    if (parsed?.success === true) {
      this.#handle(request, parsed.output as Params<P, Method<P>>, onDone)
      return
    }
    const sentence = `invalid params for ${method}: ${issueOf(parsed)}`
    this.#refuse(id, missing ?? refuse('invalid-params', sentence).refusal)
    onDone()
  }

  #missing(stage: Stage): Refusal | undefined {
    const reached = this.#options.stage()
    if (order[reached] >= order[stage]) return undefined
    if (reached === 'connected') return refuse('hello-first', 'the first request must be hello').refusal
    return refuse('login-first', 'log in first').refusal
  }

  #handle({ id, method, arrivedAtMs }: Request<P>, params: Params<P, Method<P>>, onDone: () => void): void {
    const answered = (answer: Answer<unknown> | typeof answeredElsewhere): void => {
      if (answer !== answeredElsewhere) {
        this.answer(id, answer)
        this.#options.onAnswered?.(method, arrivedAtMs)
      }
      onDone()
    }
    const failed = (error: unknown): void => {
      this.#options.onFailure(error)
      this.#refuse(id, refuse('unavailable', 'this is not possible at the moment').refusal)
      onDone()
    }
    try {
      const answer = this.#options.handlers[method](params, this.#options.from, id)
      if (answer instanceof Promise) answer.then(answered, failed)
      else answered(answer)
    } catch (error) {
      failed(error)
    }
  }

  #notificationItem({ method, params }: Extract<Message, { kind: 'notification' }>, readCost: number): Item {
    const { protocol, onTold, costOfTold, from } = this.#options
    const isKnown = order[this.#options.stage()] > 0 && Object.hasOwn(protocol.toResponder, method)
    const schema = isKnown ? protocol.toResponder[method] : undefined
    const parsed = schema === undefined ? undefined : v.safeParse(schema, params)
    const told = parsed?.success === true ? (parsed.output as never) : undefined
    const name = method as Told<P, 'toResponder'>
    // An invalid notification has cost its reading.
    const ownCost = told === undefined ? 0 : (costOfTold?.[name]?.(told) ?? 0)
    return {
      ...light,
      cost: light.cost + readCost + ownCost,
      begin: (onDone) => {
        if (told !== undefined) onTold[name](told, from)
        onDone()
      },
    }
  }

  #refuse(id: number | null, refusal: Refusal): void {
    this.#options.onRefused?.(refusal.code)
    this.channel.send(errorMessage(id, refusal))
  }

  /** A live caller pings an idle connection, so one silent for longer is gone, unless this end has paused reading. */
  #watchIdle(): void {
    if (this.channel.isPaused) return
    if (performance.now() - this.channel.lastHeardAtMs > deadAfterMs) this.close('silent for too long')
  }
}

function issueOf(parsed: v.SafeParseResult<v.GenericSchema> | undefined): string {
  const issue = parsed?.issues?.[0]
  if (issue === undefined) return 'unreadable'
  const where = v.getDotPath(issue)
  return `${where === null ? '' : `"${where}": `}${issue.message}`.slice(0, 300)
}
