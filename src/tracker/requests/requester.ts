// The requester on one connection: how far it has come, and who is logged in.

import { Failure } from '../../common/failure.ts'
import { networkOf, plainHost } from '../../common/networks.ts'
import { lineBytesBeforeLogin, lineBytesMax } from '../../common/limits.ts'
import type { Credentials } from '../../common/security/scram.ts'
import type { Connection } from '../../common/wire/listener.ts'
import { notificationMessage } from '../../common/wire/messages.ts'
import type { Stage } from '../../common/wire/methods.ts'
import type { Secure } from '../../common/wire/tls.ts'
import type { Login } from '../presence/login.ts'
import { News } from '../presence/news.ts'
import type { Placed } from './advertised.ts'

/** A login whose challenge has been sent. Good for one answer. */
export interface PendingLogin {
  readonly user: string
  readonly clientFirstBare: string
  readonly serverFirst: string
  readonly credentials: Credentials
  /** As it was then; undefined for a user that does not exist. */
  readonly account: Standing | undefined
}

/** An account, and how often its logins were ended. */
export interface Standing {
  readonly id: number
  readonly epoch: number
}

export class Requester {
  readonly #connection: Connection
  /** What the client signs to prove its key; set by the first `hello`. */
  nonce = ''
  pendingLogin: PendingLogin | undefined
  /** Whether the client knows what a folder is: see `hello`. */
  knowsFolders = false
  /** Likewise what to do when another client calls it. */
  takesCalls = false
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

  /** A login has begun, so the connection keeps its place for a while; one that is logged in has a place. */
  begin(login: PendingLogin): void {
    this.pendingLogin = login
    if (this.#login === undefined) this.#connection.begin()
  }

  /** `place`: where others are sent. */
  logIn(user: string, { id, epoch }: Standing, key: string, place: Placed): Login {
    const { channel } = this.#connection
    this.#login = {
      user,
      account: id,
      epoch,
      key,
      host: place.host,
      port: place.port,
      outside: { host: this.host, port: channel.remotePort },
      inside: plainHost(channel.localHost ?? ''),
      local: place.local ?? [],
      localPort: place.localPort ?? place.port,
      mapped: place.mapped === true,
      relays: place.relays === true,
      takesCalls: this.takesCalls,
      reachable: undefined,
      news: new News(channel),
      tickets: new Map(),
      end: (why) => this.#end(user, why),
    }
    channel.lineBytesMax = lineBytesMax
    this.#connection.prove(user)
    return this.#login
  }

  /** Nothing is served from now on. What caused it may be a request of this connection, whose answer goes first. */
  #end(user: string, why: string): void {
    const { channel } = this.#connection
    this.logOut()
    setImmediate(() => {
      channel.send(notificationMessage('login_ended', { user, why }))
      channel.close(new Failure('connection-lost', why))
    })
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
