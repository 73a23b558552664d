// A TCP link to a server that can be held and cut, as a cable can: between a tracker and NATS.

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

export class CuttableLink {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  /** The server's ends. */
  readonly #far = new Set<Socket>()
  #isCut = false
  #isHeld = false
  address = ''

  private constructor(target: string) {
    const [host = '', port = ''] = target.split(':')
    this.#server = createServer((near) => {
      if (this.#isCut) {
        near.destroy()
        return
      }
      const far = connect(Number(port), host)
      this.#far.add(far)
      for (const socket of [near, far]) {
        this.#sockets.add(socket)
        socket.on('error', () => undefined)
        socket.on('close', () => {
          this.#sockets.delete(socket)
          this.#far.delete(socket)
          near.destroy()
          far.destroy()
        })
      }
      near.on('data', (bytes) => far.write(bytes))
      far.on('data', (bytes) => near.write(bytes))
      if (this.#isHeld) far.pause()
    })
  }

  static async to(target: string): Promise<CuttableLink> {
    const link = new CuttableLink(target)
    link.#server.listen(0, '127.0.0.1')
    await once(link.#server, 'listening')
    const bound = link.#server.address()
    link.address = `127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`
    return link
  }

  /** Requests go through, answers do not; they are lost if the link is cut before it is let go. */
  holdAnswers(): void {
    this.#isHeld = true
    for (const socket of this.#far) socket.pause()
  }

  /** What was held goes through, and what comes. */
  release(): void {
    this.#isHeld = false
    for (const socket of this.#far) socket.resume()
  }

  /** Ends every connection, and takes no new one until `heal`. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  heal(): void {
    this.#isCut = false
    this.#isHeld = false
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
