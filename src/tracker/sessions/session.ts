// One connection of a client: how far it has come, and as whom it is logged in.

import { Failure } from '../../common/failure.ts'
import { lineBytesBeforeLogin } from '../../common/limits.ts'
import { isNarrowName } from '../../common/names.ts'
import type { Credentials } from '../../common/security/scram.ts'
import type { Channel } from '../../common/wire/channel.ts'
import { notificationMessage } from '../../common/wire/messages.ts'
import type { Needs } from '../../common/wire/methods.ts'
import { allowLongLines } from '../../common/wire/responder.ts'
import type { Client, Tell } from '../presence/client.ts'

/** A login whose challenge has been sent. Good for one answer. */
export interface PendingLogin {
  readonly user: string
  readonly clientFirstBare: string
  readonly serverFirst: string
  readonly credentials: Credentials
}

export class Session {
  readonly channel: Channel
  /** The other end's address, as observed. */
  readonly host: string
  /** What the client signs to prove its key; set by the first `hello`. */
  nonce = ''
  /** Whether the other end takes every name that can be shared; programs of before do not. */
  wideNames = false
  pendingLogin: PendingLogin | undefined
  #client: Client | undefined

  constructor(channel: Channel, host: string) {
    this.channel = channel
    this.host = host
  }

  get stage(): Needs {
    if (this.#client !== undefined) return 'login'
    return this.nonce === '' ? 'nothing' : 'hello'
  }

  get isLoggedIn(): boolean {
    return this.#client !== undefined
  }

  /** Who is logged in. Handlers that need a login are called only when somebody is. */
  get client(): Client {
    if (this.#client === undefined) throw new Error('nobody is logged in on this connection')
    return this.#client
  }

  get user(): string {
    return this.client.user
  }

  logIn(user: string, key: string, port: number): Client {
    const { channel, host } = this
    const tell: Tell = (method, params) => {
      const { name } = params as { readonly name?: string }
      if (name !== undefined && !this.takesName(name)) return
      channel.send(notificationMessage(method, params))
    }
    this.#client = { user, key, host, port, tell, announced: new Set(), watched: new Map() }
    allowLongLines(channel)
    return this.#client
  }

  /** A program of before refuses a whole message for one name that it does not take. */
  takesName(name: string): boolean {
    return this.wideNames || isNarrowName(name)
  }

  /** Whoever was logged in; undefined when nobody was. */
  logOut(): Client | undefined {
    const client = this.#client
    this.#client = undefined
    this.channel.reader.options.lineBytesMax = lineBytesBeforeLogin
    return client
  }

  close(sentence: string): void {
    this.channel.close(new Failure('connection-lost', sentence))
  }
}
