// Sessions of the compiled functions: two with each other, one with a socket of Node's, one with a peer that sends any record.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { connect as connectSecurely, createServer as createSecurely, type TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'
import { makeIdentity, type Identity } from '../../src/common/security/identity.ts'
import { TlsSessions, type TlsFunctions, type TlsSession } from '../../src/common/wire/tls-session.ts'
import { RecordKeys, RecordPeer } from './record-peer.ts'

const identity = makeIdentity()
const nothing = Buffer.alloc(0)

/** Two ends whose handshake is done. */
export function connected(
  functions: TlsFunctions,
  key: Identity = identity,
): { calling: TlsSession; called: TlsSession } {
  const calling = new TlsSessions(functions).begin()
  const called = new TlsSessions(functions, key.forTls).begin()
  let bytes: Uint8Array | undefined = nothing
  for (let turn = 0; bytes !== undefined; turn++) {
    const end: TlsSession = turn % 2 === 0 ? calling : called
    end.shake(bytes)
    bytes = end.output()
  }
  onTestFinished(() => void [calling, called].map((end) => end.close()))
  return { calling, called }
}

export interface NodeEnd {
  readonly session: TlsSession
  /** Of the session; nobody listens to it. */
  readonly socket: Socket
  readonly node: TLSSocket
  /** What came behind the handshake so far. */
  readonly rest: Uint8Array
  /** The secret of each direction, by the label of key logs. */
  readonly secrets: ReadonlyMap<string, Buffer>
}

/** `isCalled`: whether the session is. */
export async function withNode(functions: TlsFunctions, isCalled: boolean, suite: string): Promise<NodeEnd> {
  const secrets = new Map<string, Buffer>()
  const onKey = (line: Buffer): void => {
    const [label = '', , secret = ''] = line.toString().trim().split(' ')
    secrets.set(label, Buffer.from(secret, 'hex'))
  }
  const parameters = { minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3', ciphers: suite } as const
  const server = isCalled ? createServer() : createSecurely({ ...parameters, ...identity.forTls })
  server.on('keylog', onKey)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const arrived = once(server, isCalled ? 'connection' : 'secureConnection')
  const called = isCalled
    ? connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false, ...parameters })
    : connect(port, '127.0.0.1')
  called.on('keylog', onKey)
  const socket = isCalled ? ((await arrived)[0] as Socket) : called
  const session = new TlsSessions(functions, isCalled ? identity.forTls : undefined).begin()
  const rest = await shaken(session, socket, isCalled ? undefined : nothing)
  const node = isCalled ? (called as TLSSocket) : ((await arrived)[0] as TLSSocket)
  for (const each of [socket, node]) each.on('error', () => undefined)
  onTestFinished(() => {
    session.close()
    for (const each of [socket, node]) each.destroy()
    server.close()
  })
  return { session, socket, node, rest, secrets }
}

function shaken(session: TlsSession, socket: Socket, first?: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const go = (bytes: Uint8Array): void => {
      try {
        const rest = session.shake(bytes)
        const answer = session.output()
        if (answer !== undefined) socket.write(answer)
        if (rest === undefined) return
        socket.off('data', go).pause()
        resolve(rest)
      } catch (error) {
        reject(error instanceof Error ? error : new Error('no error', { cause: error }))
      }
    }
    socket.on('data', go)
    if (first !== undefined) go(first)
  })
}

/** A session, and what can send any record to it and open its own. */
export async function withPeer(
  functions: TlsFunctions,
  isCalled = false,
  suite = 'TLS_AES_128_GCM_SHA256',
): Promise<{ session: TlsSession; peer: RecordPeer }> {
  const { session, secrets } = await withNode(functions, isCalled, suite)
  const keysOf = (end: string): RecordKeys => {
    const secret = secrets.get(`${end}_TRAFFIC_SECRET_0`)
    if (secret === undefined) throw new Error('Node has told no secret')
    return new RecordKeys(secret, suite)
  }
  const [ours, theirs] = isCalled ? ['SERVER', 'CLIENT'] : ['CLIENT', 'SERVER']
  return { session, peer: new RecordPeer(keysOf(theirs ?? ''), keysOf(ours ?? '')) }
}

/** What `session` makes of these bytes, read with targets of this size. */
export function openedBy(session: TlsSession, sealed: Uint8Array, targetBytes: number): Buffer {
  const parts: Buffer[] = []
  for (let rest = sealed; ;) {
    const target = Buffer.alloc(targetBytes)
    rest = rest.subarray(session.open(rest, target))
    if (session.filled === 0) return Buffer.concat(parts)
    parts.push(target.subarray(0, session.filled))
  }
}
