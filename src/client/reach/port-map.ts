// Has a router of this network forward a port to this client, for as long as it runs, where the user asked for it.

import { atMost } from '../../common/at-most.ts'
import { Failure } from '../../common/failure.ts'
import { isPrivate } from '../../common/networks.ts'
import type { PortMapEvidence } from '../diagnosis/evidence.ts'
import type { findRouters, Forwarding, Router } from './routers.ts'

export interface PortMapParts {
  /** The port that this client listens on. */
  readonly port: () => number
  readonly find: typeof findRouters
  /** What a router forwards has changed. */
  readonly onChanged: () => void
  readonly onFailure: (bug: unknown) => void
}

/** So long all routers together may take. */
const answerWithinMs = 8000
/** So long a login waits for them: most answer in a quarter of a second. */
const settledWithinMs = 3000
/** So long one may take to take back what it forwards. */
const releaseWithinMs = 2000
/** They are asked again after so long: somebody may switch it on, or the router was, and has forgotten. */
const againAfterMs = 300_000

export class PortMap {
  readonly #parts: PortMapParts
  readonly #stop = new AbortController()
  /** Ends the question under way. */
  #asking: AbortController | undefined
  #settled = Promise.resolve()
  #again: NodeJS.Timeout | undefined
  #router: Router | undefined
  #forwarding: Forwarding | undefined
  #problem: string | undefined = 'no router has answered yet'

  constructor(parts: PortMapParts) {
    this.#parts = parts
  }

  /** The port outside that leads here, once the routers have answered, or after a moment. */
  async settled(): Promise<number | undefined> {
    await atMost(this.#settled, settledWithinMs)
    return this.port
  }

  /** The port outside that leads here. */
  get port(): number | undefined {
    return this.#forwarding?.port
  }

  get evidence(): PortMapEvidence {
    const problem = this.#problem
    return { port: this.port, ...(problem !== undefined && { problem }) }
  }

  /** Asks the routers, from anew when they were asked before: this machine may be in another network now. */
  ask(): void {
    if (this.#stop.signal.aborted) return
    clearTimeout(this.#again)
    this.#asking?.abort()
    const asking = new AbortController()
    this.#asking = asking
    this.#settled = this.#ask(AbortSignal.any([asking.signal, this.#stop.signal]))
    this.#settled.catch(this.#parts.onFailure)
  }

  /** Takes back what is forwarded; waits a moment for the router. */
  async stop(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#again)
    await this.#release()
  }

  async #ask(stopped: AbortSignal): Promise<void> {
    // Where it goes on, whoever is connected notices nothing.
    if (await this.#goesOn(stopped)) return
    await this.#release()
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(answerWithinMs)])
    const forwardWithin = (router: Router): Promise<Forwarding> =>
      router.forward(this.#parts.port(), AbortSignal.any([signal, AbortSignal.timeout(router.patienceMs)]))
    let problem = 'no router of this network offers to forward ports (UPnP, NAT-PMP)'
    try {
      for await (const router of this.#parts.find(signal)) {
        try {
          this.#onForwarding(router, await forwardWithin(router), stopped)
          return
        } catch (error) {
          if (!(error instanceof Failure)) throw error
          problem = error.message
          await release(router, undefined)
        }
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      problem = error.message
    }
    this.#onNone(problem, stopped)
  }

  #onForwarding(router: Router, forwarding: Forwarding, stopped: AbortSignal): void {
    if (stopped.aborted) {
      release(router, this.#parts.port()).catch(this.#parts.onFailure)
      return
    }
    this.#router = router
    const { host } = forwarding
    this.#problem =
      host !== undefined && isPrivate(host)
        ? `the router ${router.host} is behind another one, which forwards nothing`
        : undefined
    this.#set(forwarding)
    this.#askLater()
  }

  #onNone(problem: string, stopped: AbortSignal): void {
    if (stopped.aborted) return
    this.#problem = problem
    this.#set(undefined)
    this.#askLater()
  }

  #askLater(): void {
    this.#again = setTimeout(() => this.ask(), againAfterMs)
    this.#again.unref()
  }

  /** Has the router that forwards go on; false where it does not, or forwards another port. */
  async #goesOn(stopped: AbortSignal): Promise<boolean> {
    const router = this.#router
    if (router === undefined) return false
    try {
      const signal = AbortSignal.any([stopped, AbortSignal.timeout(router.patienceMs)])
      const { port } = await router.forward(this.#parts.port(), signal)
      if (port !== this.port) return false
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return false
    }
    if (!stopped.aborted) this.#askLater()
    return true
  }

  async #release(): Promise<void> {
    const router = this.#router
    this.#router = undefined
    if (router !== undefined) await release(router, this.#parts.port())
  }

  #set(forwarding: Forwarding | undefined): void {
    const hasChanged = forwarding?.port !== this.#forwarding?.port
    this.#forwarding = forwarding
    if (hasChanged) this.#parts.onChanged()
  }
}

/** A router that is gone forgets by itself. */
async function release(router: Router, port: number | undefined): Promise<void> {
  try {
    await router.release(port, AbortSignal.timeout(releaseWithinMs))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
  }
}
