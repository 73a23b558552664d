// The accepting side of a protocol. A request waits for its turn; if it reads, the state is brought up to date; then it
// is checked that the connection is still there and has come far enough; its handler begins, and the answer is sent.
// Handlers of a connection begin in the order of its requests. Every request gets an answer or a closed socket.

import * as v from 'valibot'
import { Failure } from '../failure.ts'
import { deadAfterMs, firstLineTimeoutMs, requestsInFlightMax, waitingCostMax } from '../limits.ts'
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
import type { Method, Params, Protocol, RequestSpec, Result, Stage, Told, ToldParams } from './methods.ts'
import { noWaiting, type Turns } from './turns.ts'

export type Handlers<P extends Protocol, F> = {
  [M in Method<P>]: (
    params: Params<P, M>,
    from: F,
    requestId: number,
  ) =>
    Answer<Result<P, M>> | Promise<Answer<Result<P, M>> | typeof answeredElsewhere> | typeof answeredElsewhere
}

/** Returned by a handler that answers through `beginBulk` or `answer`, now or later. */
export const answeredElsewhere = Symbol('answered elsewhere')

export interface ResponderOptions<P extends Protocol, F> {
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
  /** Awaited before a read, so that it sees everything acknowledged before; undefined when nothing is missing. */
  sync?: () => Promise<void> | undefined
  turns?: Turns
  /** The cost of a notification, in microseconds, besides reading it. */
  costOfTold?: { [M in Told<P, 'toResponder'>]?: (params: ToldParams<P, 'toResponder', M>) => number }
  /** Whose share of the turns this takes. `method` is undefined for anything but a request. */
  owner?: (method: string | undefined, params: unknown) => string
  /** A handler's answer was sent, for the metrics. */
  onAnswered?: (method: string, startedAtMs: number) => void
  /** A refusal was sent, including one that no handler saw. */
  onRefused?: (code: RefusalCode) => void
}

/** Something received that takes a turn. */
interface Item {
  /** Of a request; undefined for anything else. */
  readonly method?: string
  readonly params?: unknown
  readonly cost: number
  readonly mutates: boolean
  readonly reads: boolean
  /** Begins the work; `onDone` is called when it is done. */
  readonly begin: (onDone: () => void) => void
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

const order: Readonly<Record<Stage, number>> = { connected: 0, greeted: 1, proven: 2 }

export class Responder<P extends Protocol, F> {
  readonly channel: Channel
  readonly #options: ResponderOptions<P, F>
  readonly #turns: Turns
  readonly #firstLine: NodeJS.Timeout
  readonly #watch: NodeJS.Timeout
  /** Items whose turn has not come, oldest first. */
  #waiting: Item[] = []
  #asksForTurn = false
  /** Resolves when everything that had its turn has begun; undefined when it has. */
  #begun: Promise<void> | undefined
  /** Items that are not done. */
  #inFlight = 0
  /** The cost of the waiting items, in microseconds. */
  #waitingCost = 0
  /** Nothing more is accepted: malformed input ends the connection, once everything before it is answered. */
  #isOver = false

  constructor(channel: Channel, options: ResponderOptions<P, F>) {
    this.channel = channel
    this.#options = options
    this.#turns = options.turns ?? noWaiting
    this.#firstLine = setTimeout(() => this.close('no first line in time'), firstLineTimeoutMs)
    this.#watch = setInterval(() => this.#watchIdle(), deadAfterMs / 3)
    this.#firstLine.unref()
    this.#watch.unref()
    channel.listen({
      onFrame: ({ message, lineLength }) => this.#onMessage(classify(message), lineLength),
      onMalformed: () => this.#onMalformed(),
      bodyBuffer: () => {
        throw new Failure('protocol', 'bytes after a message that takes none')
      },
      onClosed: (reason) => {
        clearTimeout(this.#firstLine)
        clearInterval(this.#watch)
        this.#waiting = []
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

  #onMessage(message: Message, lineLength: number): void {
    clearTimeout(this.#firstLine)
    if (this.#isOver) return
    const readCost = lineLength * costPerCharacter
    if (message.kind === 'request') this.#onRequest(message, readCost)
    else if (message.kind === 'notification') this.#onNotification(message, readCost)
    else this.#refuseInTurn(null, refuse('invalid-request', 'this is not a JSON-RPC 2.0 request').refusal)
    this.#checkGreeting()
  }

  /** Input other than lines of JSON is another protocol, which may carry ours inside. */
  #onMalformed(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#enqueue({
      ...light,
      begin: () => {
        this.#refuse(null, refuse('parse-error', 'this line is not JSON').refusal)
        this.channel.close(new Failure('protocol', 'a line that is not JSON'))
      },
    })
  }

  /** Closes a connection whose first message was not `hello`: it speaks another protocol. */
  #checkGreeting(): void {
    const isGreeted = order[this.#options.stage()] > 0
    if (!isGreeted && this.#inFlight === 0) this.close('the first request was not a hello')
  }

  #onRequest({ id, method, params }: Extract<Message, { kind: 'request' }>, readCost: number): void {
    const { requests } = this.#options.protocol
    const spec = Object.hasOwn(requests, method) ? requests[method] : undefined
    if (spec === undefined) {
      this.#refuseInTurn(id, refuse('unknown-method', 'there is no such method').refusal)
      return
    }
    const { cost = 0, mutates = false, reads = false } = spec
    const request = { id, method: method as Method<P>, params, spec, arrivedAtMs: performance.now() }
    const begin = (onDone: () => void): void => this.#begin(request, onDone)
    this.#enqueue({ method, params, cost: cost + readCost, mutates, reads, begin })
  }

  #refuseInTurn(id: number | null, refusal: Refusal): void {
    this.#enqueue({
      ...light,
      begin: (onDone) => {
        this.#refuse(id, refusal)
        onDone()
      },
    })
  }

  #enqueue(item: Item): void {
    this.#waiting.push(item)
    this.#waitingCost += item.cost
    this.#inFlight++
    this.#askForTurn()
    if (this.#isFull) this.channel.pause('requests')
  }

  /** Whether to pause reading, which takes time too and would delay what already waits. */
  get #isFull(): boolean {
    return this.#inFlight >= requestsInFlightMax || this.#waitingCost > waitingCostMax
  }

  /** Asks for a turn for the oldest item, unless the other end is behind with reading answers. One at a time. */
  #askForTurn(): void {
    const [item] = this.#waiting
    if (item === undefined || this.#asksForTurn || this.channel.isPausedFor('output')) return
    this.#asksForTurn = true
    const { method, params, cost, mutates } = item
    const owner = this.#options.owner?.(method, params) ?? ''
    const isGone = (): boolean => this.channel.isClosed
    this.#turns.ask({ owner, cost, mutates, isGone, go: () => this.#onTurn(owner, mutates) })
  }

  #onTurn(owner: string, mutates: boolean): void {
    this.#asksForTurn = false
    const item = this.#waiting.shift()
    this.#waitingCost -= item?.cost ?? 0
    const onDone = (): void => {
      if (mutates) this.#turns.onChanged(owner)
      this.#onDone()
    }
    // The connection may have closed meanwhile.
    if (item === undefined) {
      onDone()
      return
    }
    const current = item.reads ? this.#options.sync?.() : undefined
    if (current === undefined && this.#begun === undefined) this.#beginNow(item, onDone)
    else {
      const before = this.#begun ?? Promise.resolve()
      const begun = before.then(() => current).then(() => this.#beginNow(item, onDone))
      this.#begun = begun
      void begun.then(() => {
        if (this.#begun === begun) this.#begun = undefined
      })
    }
    this.#askForTurn()
  }

  #beginNow(item: Item, onDone: () => void): void {
    if (this.channel.isClosed) onDone()
    else item.begin(onDone)
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

  #onDone(): void {
    this.#inFlight--
    if (this.channel.isClosed) return
    this.#checkGreeting()
    if (this.channel.isBehind) this.#pauseUntilRead()
    if (!this.#isFull) this.channel.resume('requests')
  }

  /** Answers take memory until they are read, so no further request begins before that. */
  #pauseUntilRead(): void {
    if (this.channel.isClosed || this.channel.isPausedFor('output')) return
    this.channel.pause('output')
    void this.channel.whenDrained().then(() => {
      this.channel.resume('output')
      this.#askForTurn()
    })
  }

  #onNotification({ method, params }: Extract<Message, { kind: 'notification' }>, readCost: number): void {
    const { protocol, onTold, costOfTold, from } = this.#options
    const isKnown = order[this.#options.stage()] > 0 && Object.hasOwn(protocol.toResponder, method)
    const schema = isKnown ? protocol.toResponder[method] : undefined
    const parsed = schema === undefined ? undefined : v.safeParse(schema, params)
    const told = parsed?.success === true ? (parsed.output as never) : undefined
    const name = method as Told<P, 'toResponder'>
    // An invalid notification has cost its reading.
    const ownCost = told === undefined ? 0 : (costOfTold?.[name]?.(told) ?? 0)
    this.#enqueue({
      ...light,
      cost: light.cost + readCost + ownCost,
      begin: (onDone) => {
        if (told !== undefined) onTold[name](told, from)
        onDone()
      },
    })
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
