// What happens to the connections of a client when its network has changed, or may have: those from an address that is
// gone end at once, the others when they give no sign of life, and attempts under way begin anew.

import { setMaxListeners } from 'node:events'
import { Failure } from '../../common/failure.ts'
import type { Lifeline } from './lifeline.ts'
import { NetworkWatch, type NetworkChange, type NetworkSource } from './network-watch.ts'

interface Followed {
  readonly lifeline: Lifeline
  /** How long its other end may take for an answer, in milliseconds. */
  readonly withinMs: number
  /** Whether it is more than an attempt. */
  readonly isUp: () => boolean
}

/** What was received while the program stood still is read within this time, and is no sign of life. */
const leftoverMs = 250
/** Peers vanish for many reasons, so their silence has others asked this often at most. */
const doubtEveryMs = 5000

export class NetworkChanges {
  readonly #watch: NetworkWatch
  readonly #followed = new Set<Followed>()
  readonly #listeners = new Set<(change: NetworkChange) => void>()
  #attempts = untilChange()
  #doubtedAtMs = Number.NEGATIVE_INFINITY

  constructor(source?: NetworkSource) {
    this.#watch = new NetworkWatch((change) => this.#onChange(change), source)
  }

  start(): void {
    this.#watch.start()
  }

  stop(): void {
    this.#watch.stop()
  }

  /** Aborts at the next change, with a failure: what is being tried by then may wait for ever. */
  get attempts(): AbortSignal {
    return this.#attempts.signal
  }

  /** See `NetworkWatch`. */
  isGone(host: string): boolean {
    return this.#watch.isGone(host)
  }

  /** Adds a connection; call the result when it is closed. */
  follow(lifeline: Lifeline, withinMs: number, isUp = (): boolean => true): () => void {
    const followed = { lifeline, withinMs, isUp }
    this.#followed.add(followed)
    return () => void this.#followed.delete(followed)
  }

  /** Called after what concerns connections; call the result to remove it. */
  subscribe(listener: (change: NetworkChange) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** A peer has vanished without a word. If a router between has forgotten this client, the others have vanished too. */
  onSilence(): void {
    const nowMs = performance.now()
    if (nowMs - this.#doubtedAtMs < doubtEveryMs) return
    this.#doubtedAtMs = nowMs
    for (const followed of this.#followed) if (followed.isUp()) askForSign(followed)
  }

  #onChange(change: NetworkChange): void {
    const ended = this.#attempts
    this.#attempts = untilChange()
    ended.abort(new Failure('connection-lost', 'the network has changed'))
    // Copies: each that closes leaves.
    for (const followed of [...this.#followed]) {
      const { lifeline, isUp } = followed
      const { localHost } = lifeline
      if (!isUp()) lifeline.close('the network has changed')
      else if (localHost !== undefined && change.gone.has(localHost))
        lifeline.close(`this machine is no longer at ${localHost}`)
      else askForSign(followed)
    }
    for (const listener of [...this.#listeners]) listener(change)
  }
}

function askForSign({ lifeline, withinMs }: Followed): void {
  void lifeline.ask(withinMs, leftoverMs)
}

function untilChange(): AbortController {
  const controller = new AbortController()
  // One listener for each attempt: there are as many as connections are opened at once.
  setMaxListeners(0, controller.signal)
  return controller
}
