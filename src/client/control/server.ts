// Lets other processes of the same user, terminals and scripts, use the client that runs. Listens at a socket in the
// data folder, which is the user's own.

import { once } from 'node:events'
import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { Failure, sentenceOf } from '../../common/failure.ts'
import { accept, refuse, type Answer } from '../../common/refusal.ts'
import { clientProgram, version } from '../../common/version.ts'
import { Channel } from '../../common/wire/channel.ts'
import type { Params, Stage } from '../../common/wire/methods.ts'
import { Responder, type Handlers } from '../../common/wire/responder.ts'
import type { ClientEvent, Operations } from '../operations.ts'
import { SocketFolder } from '../storage/socket-folder.ts'
import { operate } from './operate.ts'
import {
  controlLineBytesMax,
  controlProtocol,
  controlVersion,
  remoteNames,
  socketName,
  type ControlProtocol,
} from './protocol.ts'

export interface ControlServerOptions {
  /** The data folder; this process must have claimed it. */
  readonly folder: string
  /** Where the client listens, as it was typed. */
  readonly listen: string
  readonly operations: Operations
  /** Adds a listener for events; call the result to remove it. */
  readonly subscribe: (listener: (event: ClientEvent) => void) => () => void
  /** A bug. */
  readonly onFailure: (error: unknown) => void
}

interface Terminal {
  stage: Stage
}

type ControlResponder = Responder<ControlProtocol, Terminal>

/** A terminal that is stopped (Ctrl-Z) reads nothing for as long as it likes. */
const stalledAfterMs = 24 * 60 * 60 * 1000

export class ControlServer {
  readonly #options: ControlServerOptions
  readonly #folder: SocketFolder
  readonly #server: Server
  readonly #responders = new Map<ControlResponder, Terminal>()
  readonly #unsubscribe: () => void
  readonly #handlers: Handlers<ControlProtocol, Terminal>

  private constructor(options: ControlServerOptions) {
    this.#options = options
    this.#folder = new SocketFolder(options.folder)
    this.#server = createServer((socket) => this.#serve(socket))
    this.#unsubscribe = options.subscribe((event) => this.#onEvent(event))
    this.#handlers = {
      hello: (params, terminal) => this.#hello(params, terminal),
      ping: () => accept({}),
      ...(Object.fromEntries(
        remoteNames.map((name) => [
          name,
          ({ given }: { given: unknown[] }) => operate(options.operations, name, given),
        ]),
      ) as unknown as Omit<Handlers<ControlProtocol, Terminal>, 'hello' | 'ping'>),
    }
  }

  /** Rejects with a `start` failure. */
  static async start(options: ControlServerOptions): Promise<ControlServer> {
    try {
      const server = new ControlServer(options)
      await server.#listen()
      return server
    } catch (error) {
      const where = join(options.folder, socketName)
      throw new Failure('start', `cannot listen at ${where}: ${sentenceOf(error)}`, error)
    }
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    for (const responder of this.#responders.keys()) responder.close('the client has ended')
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#folder.close()
  }

  async #listen(): Promise<void> {
    const path = join(this.#folder.path, socketName)
    // Left behind by a client that was killed: whoever has the folder is the only one.
    rmSync(path, { force: true })
    this.#server.listen(this.#folder.socket(socketName))
    await once(this.#server, 'listening')
    this.#server.on('error', this.#options.onFailure)
    // Nobody else reaches it, since the folder is private; so that one can see it, too.
    chmodSync(path, 0o600)
  }

  #serve(socket: Socket): void {
    const channel = new Channel(socket, controlLineBytesMax)
    channel.stalledAfterMs = stalledAfterMs
    const terminal: Terminal = { stage: 'connected' }
    const responder: ControlResponder = new Responder<ControlProtocol, Terminal>(channel, {
      protocol: controlProtocol,
      from: terminal,
      handlers: this.#handlers,
      onTold: {},
      stage: () => terminal.stage,
      onClosed: () => this.#responders.delete(responder),
      onFailure: (error) => this.#options.onFailure(error),
    })
    this.#responders.set(responder, terminal)
  }

  #hello(
    { protocol, program, listen }: Params<ControlProtocol, 'hello'>,
    terminal: Terminal,
  ): Answer<{ program: string; user?: string | undefined }> {
    if (protocol !== controlVersion || program !== clientProgram)
      return refuse(
        'protocol-version',
        `the client that runs in this folder is coterie ${version}, and this is ${program.replace('coterie-client/', '')}; quit the running one first`,
      )
    if (listen !== undefined && listen !== this.#options.listen)
      return refuse(
        'usage',
        `another client uses this folder, and listens on ${this.#options.listen}; give this one its own with --data-dir`,
      )
    terminal.stage = 'greeted'
    return accept({ program: clientProgram, user: this.#options.operations.whoami() })
  }

  #onEvent(event: ClientEvent): void {
    for (const [responder, { stage }] of this.#responders)
      if (stage !== 'connected') responder.tell('event', { event })
  }
}
