// Accepts other clients, admits those that show a ticket and prove its key, and serves them files and pieces. Knows
// sources by group and file id, never paths.

import { createServer, type Server, type Socket } from 'node:net'
import type { Address } from '../../common/addresses.ts'
import { lineBytesBeforeLogin, peerConnectionsMax } from '../../common/limits.ts'
import { listenOn } from '../../common/listening.ts'
import { peerProtocol } from '../../common/protocol/peer-protocol.ts'
import { Channel } from '../../common/wire/channel.ts'
import { FileDemands } from './file-demands.ts'
import { PeerSession, type ServingParts } from './peer-session.ts'

export class PeerServer {
  readonly #parts: ServingParts
  readonly #server: Server
  readonly #sessions = new Set<PeerSession>()
  readonly #demands = new FileDemands<PeerSession>()

  constructor(parts: ServingParts) {
    this.#parts = parts
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
    this.#server.maxConnections = peerConnectionsMax
    parts.sources.listen({
      onHave: (group, fileId, index) => {
        this.#demands.find(group, fileId)?.onHave(index)
        for (const session of this.#sessions) session.tellHave(group, fileId, index)
        // A request may be waiting for this piece.
        parts.uploads.serve()
      },
      onWithdrawn: (group, fileId, why) => {
        this.#demands.onWithdrawn(group, fileId)
        for (const session of this.#sessions) session.tellClosed(group, fileId, why)
      },
    })
  }

  /** Listens; resolves to the port. Rejects with a `start` failure when the address cannot be had. */
  async listen(address: Address): Promise<number> {
    const { port } = await listenOn(this.#server, address)
    // One connection could not be accepted, for example for lack of descriptors; others will be.
    this.#server.on('error', () => undefined)
    return port
  }

  /** Closes the connections of a user in a group: no longer a member. */
  expel(group: string, user: string): void {
    for (const session of [...this.#sessions]) {
      if (session.isOf(group, user)) session.close('no longer a member')
    }
  }

  /** Closes all connections; the server goes on listening. */
  closeAll(sentence: string): void {
    for (const session of [...this.#sessions]) session.close(sentence)
  }

  async close(): Promise<void> {
    this.closeAll('the client stops')
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }

  /** TLS goes in here: by the first byte of the socket, before there is a channel. */
  #accept(socket: Socket): void {
    const channel = new Channel(socket, lineBytesBeforeLogin)
    const session = new PeerSession(channel, peerProtocol, this.#parts, this.#demands, () => {
      this.#sessions.delete(session)
      this.#demands.onPeerGone(session)
    })
    this.#sessions.add(session)
  }
}
