// Forwards between two ends that cannot reach each other: each shows one token of a pair, and from there on gets what the
// other one sends. Knows nothing of what that is; they encrypt it. Bounded in rate, number and time.

import type { Socket } from 'node:net'
import { relayLimits } from '../limits.ts'
import { TokenBucket } from '../token-bucket.ts'
import type { OpenedWithRole } from './listener.ts'
import { RelayPair, type RelayDirection } from './relay-pair.ts'
import { RelayTurns } from './relay-turns.ts'

export interface RelayOptions {
  /** Of all pairs together, both ways; undefined for no limit. */
  readonly bytesPerSecond: number | undefined
  readonly limits?: Partial<typeof relayLimits>
  /** Milliseconds, from any start. */
  readonly nowMs?: () => number
}

/** The user who asks for it, and the one who is called: the first is counted. */
export type RelayUsers = readonly [caller: string, called: string]
export type RelayTokens = readonly [forCaller: string, forCalled: string]

interface Between {
  readonly caller: string
  readonly tokens: RelayTokens
  readonly bornMs: number
  readonly come: Map<string, { readonly socket: Socket; readonly rest: Buffer }>
  pair: RelayPair | undefined
}

/** How often to look for pairs whose time is up. */
const lookEveryMs = 500

export class Relay {
  readonly #limits: typeof relayLimits
  readonly #nowMs: () => number
  readonly #turns: RelayTurns
  /** The oldest first. */
  readonly #all = new Set<Between>()
  readonly #byToken = new Map<string, Between>()
  readonly #watch: NodeJS.Timeout
  #joined = 0

  constructor({ bytesPerSecond, limits, nowMs = () => performance.now() }: RelayOptions) {
    this.#limits = { ...relayLimits, ...limits }
    this.#nowMs = nowMs
    this.#turns = new RelayTurns(new TokenBucket(bytesPerSecond))
    this.#watch = setInterval(() => this.look(), lookEveryMs)
    this.#watch.unref()
  }

  /** Pairs that both ends have come for. */
  get pairs(): number {
    return [...this.#all].filter(({ pair }) => pair !== undefined).length
  }

  /** Likewise, since the start. */
  get joined(): number {
    return this.#joined
  }

  /** Bytes forwarded since the start. */
  get bytes(): number {
    return this.#turns.bytes
  }

  /** Lets two ends come, each with one of the tokens. False when there are too many pairs already. */
  expect([caller]: RelayUsers, tokens: RelayTokens): boolean {
    const own = this.#countOf(caller)
    if (own >= this.#limits.pairsOfUser) return false
    if (this.#all.size >= this.#limits.pairs && !this.#makeRoom(own)) return false
    if (tokens.some((token) => this.#byToken.has(token)) || tokens[0] === tokens[1]) return false
    const between = { caller, tokens, bornMs: this.#nowMs(), come: new Map(), pair: undefined }
    this.#all.add(between)
    for (const token of tokens) this.#byToken.set(token, between)
    return true
  }

  /** Somebody dialled to be forwarded. False when nobody of that token is expected. */
  take({ hello, socket, rest }: OpenedWithRole): boolean {
    const between = this.#byToken.get(hello.token)
    if (between === undefined) return false
    // The other end may have more to say when this one has said all, even before the other one is there.
    socket.allowHalfOpen = true
    // Good once.
    this.#byToken.delete(hello.token)
    between.come.set(hello.token, { socket, rest })
    socket.once('close', () => {
      if (between.pair === undefined) this.#end(between)
    })
    const [one, other] = between.tokens.map((token) => between.come.get(token))
    if (one !== undefined && other !== undefined) {
      this.#joined++
      between.pair = new RelayPair([one, other], {
        nowMs: this.#nowMs,
        onWaiting: (direction: RelayDirection) => this.#turns.add(direction),
        onClosed: () => this.#end(between),
      })
    }
    return true
  }

  /** Ends the pairs whose time is up. */
  look(): void {
    const nowMs = this.#nowMs()
    const { comeWithinMs, idleMs, lifetimeMs } = this.#limits
    for (const between of [...this.#all]) {
      const { pair, bornMs } = between
      const isOver =
        pair === undefined
          ? nowMs - bornMs > comeWithinMs
          : nowMs - pair.movedMs > idleMs || nowMs - bornMs > lifetimeMs
      if (isOver) this.#end(between)
    }
  }

  /** Ends all pairs; takes more of them. */
  endAll(): void {
    for (const between of [...this.#all]) this.#end(between)
  }

  close(): void {
    clearInterval(this.#watch)
    this.endAll()
  }

  #countOf(user: string): number {
    return [...this.#all].filter(({ caller }) => caller === user).length
  }

  /** Whoever has by far the most pairs gives up its oldest one to a user who has `own`. */
  #makeRoom(own: number): boolean {
    const counts = new Map<string, number>()
    for (const { caller } of this.#all) counts.set(caller, (counts.get(caller) ?? 0) + 1)
    const most = Math.max(...counts.values())
    const oldest = [...this.#all].find(({ caller }) => counts.get(caller) === most)
    if (oldest === undefined || most < own + 2) return false
    this.#end(oldest)
    return true
  }

  #end(between: Between): void {
    if (!this.#all.delete(between)) return
    for (const token of between.tokens) this.#byToken.delete(token)
    for (const { socket } of between.come.values()) socket.destroy()
  }
}
