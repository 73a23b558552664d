// Passes on what two programs say to each other, and counts it.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'

export class CountedLine {
  /** In both directions, over all connections. */
  bytes = 0
  /** Where it passes on to. */
  targetPort = 0
  readonly #server: Server

  private constructor() {
    this.#server = createServer((caller) => {
      const callee = connect(this.targetPort, '127.0.0.1')
      for (const [from, to] of [
        [caller, callee],
        [callee, caller],
      ] as const) {
        from.on('data', (bytes) => (this.bytes += bytes.length))
        from.on('error', () => undefined)
        from.pipe(to)
        from.on('close', () => to.destroy())
      }
    })
  }

  static async open(): Promise<CountedLine> {
    const line = new CountedLine()
    line.#server.listen(0, '127.0.0.1')
    await once(line.#server, 'listening')
    return line
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.close()
  }
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
