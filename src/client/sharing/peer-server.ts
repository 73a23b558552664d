// Accepts other clients, admits those that show a ticket and prove its key, and serves them files and pieces. Knows
// sources by group and file id, never paths.

import type { Socket } from 'node:net'
import type { Address } from '../../common/addresses.ts'
import { peerConnectionLimits } from '../../common/limits.ts'
import { flushAll } from '../../common/wire/channel.ts'
import { FairTurns } from '../../common/wire/fair-turns.ts'
import { Listener } from '../../common/wire/listener.ts'
import { wayFrom, type Way } from '../way.ts'
import { AnswerLimit } from './answer-limit.ts'
import { onComeback } from './comebacks.ts'
import { FileDemands } from './file-demands.ts'
import { fairness } from './limits.ts'
import { ServedPeer, type Upload } from './served-peer.ts'
import type { Came, ServingParts } from './serving-parts.ts'
import { uploadsTogether } from './uploads-together.ts'

export class PeerServer {
  readonly #parts: ServingParts
  readonly #listener: Listener
  readonly #peers = new Set<ServedPeer>()
  readonly #demands = new FileDemands<ServedPeer>()
  readonly #turns: AnswerLimit

  constructor(parts: ServingParts) {
    this.#parts = parts
    this.#listener = new Listener({
      limits: peerConnectionLimits,
      tls: parts.protection.incoming,
      takesPlain: (host) => parts.protection.takesPlain(host),
      serve: (connection) => this.#serve({ connection, way: wayFrom(connection.remoteHost) }),
      onRole: (opened) => parts.roles?.[opened.hello.role]?.(opened) === true,
    })
    const accepted = (): number => this.#listener.acceptedCount
    this.#turns = new AnswerLimit(new FairTurns({ ...fairness, accepted, onSliceDone: flushAll }))
    parts.uploads.leaveRoomFor(accepted)
    parts.sources.listen({
      onHave: (group, fileId, index) => {
        this.#demands.find(group, fileId)?.onHave(index)
        const manifest = parts.sources.find(group, fileId)?.manifest
        if (manifest !== undefined) for (const peer of this.#peers) peer.onHave(group, manifest, index)
        // A request may be waiting for this piece.
        parts.uploads.lookAgain()
      },
      onWithdrawn: (group, fileId, why) => {
        this.#demands.onWithdrawn(group, fileId)
        for (const peer of this.#peers) peer.tellClosed(group, fileId, why)
        // Requests for it are refused.
        parts.uploads.lookAgain()
      },
    })
  }

  /** Listens; resolves to the port. Rejects with a `start` failure when the address is not available. */
  async listen(address: Address): Promise<number> {
    return (await this.#listener.listen(address)).port
  }

  /** Serves on a connection that this client has dialled because another one asked it to. */
  serveOn(socket: Socket, way: Way): void {
    this.#listener.adopt(socket, (connection) => this.#serve({ connection, way }))
  }

  /** Closes the connections of a user who is no longer a member of the group. */
  expel(group: string, user: string): void {
    for (const peer of [...this.#peers]) {
      if (peer.isOf(group, user)) peer.close('no longer a member')
    }
  }

  /** What peers fetch from this client, in the order in which they connected. */
  uploads(): Upload[] {
    const nowMs = performance.now()
    return uploadsTogether([...this.#peers].flatMap((peer) => peer.uploads(nowMs)))
  }

  /** Closes all connections; the server keeps listening. */
  closeAll(sentence: string): void {
    this.#listener.closeAll(sentence)
  }

  /** Closes the connections to addresses that this machine no longer has: nothing comes over them any more. */
  closeThoseAt(hosts: ReadonlySet<string>): void {
    this.#listener.closeThoseAt(hosts, 'this machine is no longer at that address')
  }

  close(): Promise<void> {
    return this.#listener.close('the client stops')
  }

  #serve(came: Came): void {
    const peer = new ServedPeer(
      came,
      this.#parts,
      {
        demands: this.#demands,
        turns: this.#turns,
        onOpened: (...opened) => onComeback(this.#peers, ...opened),
      },
      () => {
        came.connection.onClosed()
        this.#peers.delete(peer)
        this.#demands.onPeerGone(peer)
      },
    )
    this.#peers.add(peer)
  }
}
