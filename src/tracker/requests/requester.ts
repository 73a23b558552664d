// The requester on one connection: how far it has come, and who is logged in.

import { networkOf } from '../../common/networks.ts'
import { lineBytesBeforeLogin, lineBytesMax } from '../../common/limits.ts'
import type { Credentials } from '../../common/security/scram.ts'
import type { Connection } from '../../common/wire/listener.ts'
import type { Stage } from '../../common/wire/methods.ts'
import type { Secure } from '../../common/wire/tls.ts'
import type { Login } from '../presence/login.ts'
import { News } from '../presence/news.ts'

/** A login whose challenge has been sent. Good for one answer. */
export interface PendingLogin {
  readonly user: string
  readonly clientFirstBare: string
  readonly serverFirst: string
  readonly credentials: Credentials
}

export class Requester {
  readonly #connection: Connection
  /** What the client signs to prove its key; set by the first `hello`. */
  nonce = ''
  pendingLogin: PendingLogin | undefined
  #login: Login | undefined

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** The other end's address, as observed. */
  get host(): string {
    return this.#connection.remoteHost
  }

  /** What TLS says of the other end; undefined for a plain connection. */
  get secure(): Secure | undefined {
    return this.#connection.channel.secure
  }

  get stage(): Stage {
    if (this.#login !== undefined) return 'proven'
    return this.nonce === '' ? 'connected' : 'greeted'
  }

  /** Whose share of the tracker's time its requests use. */
  get owner(): string {
    return this.#login === undefined ? `from ${networkOf(this.host)}` : this.#login.user
  }

  get isLoggedIn(): boolean {
    return this.#login !== undefined
  }

  /** The current login. Throws without one; handlers that need a login are called only when there is one. */
  get login(): Login {
    if (this.#login === undefined) throw new Error('nobody is logged in on this connection')
    return this.#login
  }

  get user(): string {
    return this.login.user
  }

  /** A login has begun, so the connection keeps its place for a while. */
  begin(login: PendingLogin): void {
    this.pendingLogin = login
    this.#connection.begin()
  }

  logIn(user: string, key: string, port: number): Login {
    const { channel } = this.#connection
    this.#login = { user, key, host: this.host, port, news: new News(channel), tickets: new Map() }
    channel.lineBytesMax = lineBytesMax
    this.#connection.prove(user)
    return this.#login
  }

  /** Returns the login that ended; undefined when there was none. */
  logOut(): Login | undefined {
    const login = this.#login
    this.#login = undefined
    this.#connection.channel.lineBytesMax = lineBytesBeforeLogin
    login?.news.end()
    if (login !== undefined) this.#connection.unprove()
    return login
  }
}
