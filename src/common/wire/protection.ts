// Which connections of a program are encrypted: all that leave this machine, unless the user wants it otherwise.

import type { SecureContext } from 'node:tls'
import { isLoopback } from '../networks.ts'
import type { TlsOptions } from './open-channel.ts'
import { compiledTls, TlsSessions, type TlsFunctions } from './tls-session.ts'
import { secureContextOf, type TlsKey } from './tls.ts'

/**
 * `beyond`: those beyond this machine. `always`: on this machine too. `never`: none, for networks that are trusted;
 * others may still encrypt theirs.
 */
export type Encryption = 'beyond' | 'always' | 'never'

/** What the options `--tls` and `--insecure-plain` ask for. */
export function encryptionOf(options: { tls?: boolean; insecurePlain?: boolean }): Encryption {
  if (options.tls === true) return 'always'
  return options.insecurePlain === true ? 'never' : 'beyond'
}

export class Protection {
  /** For connections that come. */
  readonly incoming: SecureContext | TlsSessions
  readonly #outgoing: TlsSessions | undefined
  readonly #encryption: Encryption

  /** `functions`: those for TLS without a socket of Node's, where they could be compiled. */
  constructor(key: TlsKey, encryption: Encryption, functions: TlsFunctions | undefined = compiledTls) {
    this.incoming = functions === undefined ? secureContextOf(key) : new TlsSessions(functions, key)
    this.#outgoing = functions === undefined ? undefined : new TlsSessions(functions)
    this.#encryption = encryption
  }

  /** Whether connections to this host are encrypted. */
  isFor(host: string): boolean {
    return this.#encryption === 'always' || (this.#encryption === 'beyond' && !isLoopback(host))
  }

  /**
   * For a connection to this host; undefined for a plain one. `check`: see `TlsOptions`. `isPinned`: the user has said
   * which key is there. On this machine, too, another user may listen in the place of a program that is down.
   */
  towards(host: string, check: TlsOptions['check'], isPinned = false): TlsOptions | undefined {
    if (!this.isFor(host) && !(isPinned && this.#encryption !== 'never')) return undefined
    return this.#outgoing === undefined ? { check } : { check, sessions: this.#outgoing }
  }

  /** Whether this host may speak without encryption. */
  takesPlain(host: string): boolean {
    return !this.isFor(host)
  }
}
