// What somebody on the line between two programs may do in place of passing on what they say.

import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { connect as connectSecurely, TLSSocket } from 'node:tls'
import { makeIdentity, type Identity } from '../../src/common/security/identity.ts'
import { secureContextOf } from '../../src/common/wire/tls.ts'
import type { Instead } from './recording-proxy.ts'

/** Ends TLS here, shows a key of its own, and goes on to the tracker: what it could read of a caller. */
export function endsTls(port: number, read: Buffer[]): Instead {
  const own = makeIdentity()
  return (caller) => {
    const near = new TLSSocket(caller, { isServer: true, secureContext: secureContextOf(own.forTls) })
    const far = connectSecurely({ host: '127.0.0.1', port, rejectUnauthorized: false })
    for (const each of [near, far]) each.on('error', () => each.destroy())
    near.on('data', (bytes: Buffer) => read.push(bytes))
    near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
  }
}

/** Makes the first byte of a caller that of a line. */
export function makesPlain(port: number): Instead {
  return (caller, note) => {
    const far = connect(port, '127.0.0.1')
    far.on('error', () => caller.destroy())
    caller.on('data', note)
    caller.once('data', (bytes: Buffer) => {
      far.write(Buffer.concat([Buffer.from('{'), bytes.subarray(1)]))
      caller.pipe(far).pipe(caller)
    })
  }
}

/** Says a plain hello of its own, and hands on what the tracker answers. */
export function asksPlain(port: number): Instead {
  return (caller, note) => {
    const far = connect(port, '127.0.0.1')
    far.on('error', () => caller.destroy())
    far.write('{"jsonrpc":"2.0","id":0,"method":"hello","params":{"protocol":2,"program":"other"}}\n')
    caller.on('data', note)
    far.pipe(caller)
  }
}

/** Ends TLS with this key at both sides, and passes on all lines; those of the called end as `handle` makes them. */
export function relaysWith(own: Identity, port: number, handle: (line: string) => string): Instead {
  return (caller) => {
    const near = new TLSSocket(caller, { isServer: true, secureContext: secureContextOf(own.forTls) })
    const far = connectSecurely({ host: '127.0.0.1', port, rejectUnauthorized: false })
    for (const each of [near, far]) each.on('error', () => each.destroy())
    near.pipe(far)
    createInterface({ input: far }).on('line', (line) => near.write(`${handle(line)}\n`))
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  }
}
