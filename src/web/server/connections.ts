// Which connections the page server keeps. Other users of this machine can connect to the port, so those that have not
// shown a cookie have places of their own: however many come, a browser that is known finds one.

import type { Socket } from 'node:net'
import { pageLimits } from './limits.ts'

export class Connections {
  /** In the order in which they came. */
  readonly #strangers = new Set<Socket>()
  readonly #known = new Set<Socket>()
  /** With a request under way. */
  readonly #busy = new Set<Socket>()

  add(socket: Socket): void {
    const [oldest] = this.#strangers
    if (this.#strangers.size >= pageLimits.strangers) oldest?.destroy()
    this.#strangers.add(socket)
    socket.once('close', () => {
      this.#strangers.delete(socket)
      this.#known.delete(socket)
      this.#busy.delete(socket)
    })
  }

  /** A request on it has the cookie. When there are many such connections, it stays where it is. */
  onKnown(socket: Socket): void {
    if (this.#known.size < pageLimits.known && this.#strangers.delete(socket)) this.#known.add(socket)
  }

  /** False when a request is under way already: no browser sends another one then, and each would be kept. */
  begin(socket: Socket): boolean {
    if (this.#busy.has(socket)) return false
    this.#busy.add(socket)
    return true
  }

  end(socket: Socket): void {
    this.#busy.delete(socket)
  }
}
