// Which connections and transfers of guests have a place. A network has so many, so that it keeps no other out.

import type { Socket } from 'node:net'
import { TokenBucket } from '../../common/token-bucket.ts'
import { guestLimits } from './limits.ts'

interface OfNetwork {
  readonly sockets: Set<Socket>
  /** It counts requests. */
  readonly rate: TokenBucket
  transfers: number
}

export class GuestPlaces {
  /** In the order in which they came. */
  readonly #sockets = new Set<Socket>()
  /** With a request under way. */
  readonly #busy = new Set<Socket>()
  readonly #sending = new Set<Socket>()
  readonly #networks = new Map<string, OfNetwork>()

  /** Connections at the moment. */
  get count(): number {
    return this.#sockets.size
  }

  /** False for one that gets no place. */
  admit(socket: Socket, network: string): boolean {
    const known = this.#networks.get(network)
    if ((known?.sockets.size ?? 0) >= guestLimits.connectionsOfNetwork) return false
    if (this.#sockets.size >= guestLimits.connections && !this.#makeRoom()) return false
    const mine = known ?? {
      sockets: new Set(),
      rate: new TokenBucket(guestLimits.requestsOfNetworkPerSecond),
      transfers: 0,
    }
    this.#networks.set(network, mine)
    mine.sockets.add(socket)
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#busy.delete(socket)
      this.#sending.delete(socket)
      mine.sockets.delete(socket)
      if (mine.sockets.size === 0 && this.#networks.get(network) === mine) this.#networks.delete(network)
    })
    return true
  }

  /** Undefined when the request may be answered now, else a promise for when it may. */
  takeTurn(network: string): Promise<void> | undefined {
    return this.#networks.get(network)?.rate.take(1)
  }

  /** False when a request is under way already: each that waits would be kept. */
  begin(socket: Socket): boolean {
    if (this.#busy.has(socket)) return false
    this.#busy.add(socket)
    return true
  }

  end(socket: Socket): void {
    this.#busy.delete(socket)
  }

  /** False when there are too many transfers. Otherwise `onOver` is to be called at its end. */
  beginTransfer(socket: Socket, network: string): { readonly onOver: () => void } | undefined {
    const mine = this.#networks.get(network)
    if (mine === undefined || mine.transfers >= guestLimits.transfersOfNetwork) return undefined
    if (this.#sending.size >= guestLimits.transfers) return undefined
    mine.transfers++
    this.#sending.add(socket)
    let isOver = false
    const onOver = (): void => {
      if (isOver) return
      isOver = true
      mine.transfers--
      this.#sending.delete(socket)
    }
    return { onOver }
  }

  #makeRoom(): boolean {
    for (const socket of this.#sockets) {
      if (this.#sending.has(socket)) continue
      socket.destroy()
      this.#sockets.delete(socket)
      return true
    }
    return false
  }
}
