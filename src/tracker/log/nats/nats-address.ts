// Parses the address of a NATS log. Pure. Never puts a password into a sentence.

import { Failure } from '../../../common/failure.ts'

export interface NatsAddress {
  /** Whether connections are encrypted. */
  readonly isTls: boolean
  /** Certificates of those who may vouch for the servers, as PEM; undefined for whom this machine trusts. */
  readonly ca: string | undefined
  /** `host:port`, in the order in which they were written. */
  readonly servers: readonly string[]
  readonly user: string | undefined
  readonly password: string | undefined
  readonly token: string | undefined
  /** The name of the stream that holds the log. Communities that share a NATS cluster need different ones. */
  readonly stream: string
  /** Servers that keep a copy of the log. */
  readonly replicas: number
}

const defaultStream = 'coterie'
const defaultPort = 4222
/** JetStream keeps up to five copies; an even number survives no more losses than the odd one below it. */
const replicaCounts = [1, 3, 5]

const example = 'nats://10.0.0.1:4222,10.0.0.2:4222,10.0.0.3:4222'

/**
 * Reads `nats://` or `tls://`, then `[user:password@|token@]host[:port][,host[:port]…][/stream][?replicas=n]`. `replicas` defaults to the
 * number of servers named, rounded down to 1, 3 or 5; not of those running now, since a cluster that is still
 * starting must not decide that one copy is enough for ever. Throws a `usage` failure with a sentence.
 */
export function parseNatsAddress(text: string): NatsAddress {
  const parts = /^(nats|tls):\/\/(?:([^@/?]*)@)?([^@/?]+)(?:\/([^/?]*))?(?:\?(.*))?$/.exec(text)
  if (parts === null) throw new Failure('usage', `this is not an address of NATS; write --log ${example}`)
  const [, scheme, login, hosts = '', stream, query] = parts
  const servers = hosts.split(',').map(serverOf)
  const isTls = scheme === 'tls'
  return {
    isTls,
    ca: undefined,
    servers,
    ...loginOf(login),
    stream: streamOf(stream),
    replicas: replicasOf(query, servers.length),
  }
}

/** For people: without secrets. */
export function formatNatsAddress(address: NatsAddress): string {
  return `${address.isTls ? 'tls' : 'nats'}://${address.servers.join(',')}/${address.stream}`
}

function serverOf(text: string): string {
  const [, host, port = String(defaultPort)] =
    /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(\d{1,5}))?$/.exec(text) ?? []
  if (host === undefined || Number(port) > 65_535 || Number(port) === 0)
    throw new Failure('usage', `"${text}" is not the address of a NATS server; write --log ${example}`)
  return `${host}:${port}`
}

function loginOf(login: string | undefined): Pick<NatsAddress, 'user' | 'password' | 'token'> {
  const none = { user: undefined, password: undefined, token: undefined }
  if (login === undefined || login === '') return none
  try {
    const at = login.indexOf(':')
    if (at === -1) return { ...none, token: decodeURIComponent(login) }
    const [user, password] = [login.slice(0, at), login.slice(at + 1)].map(decodeURIComponent)
    return { ...none, user, password }
  } catch (error) {
    throw new Failure(
      'usage',
      'the user, password or token for NATS is not right; write % as %25 and @ as %40',
      error,
    )
  }
}

function streamOf(name: string | undefined): string {
  if (name === undefined || name === '') return defaultStream
  if (/^[A-Za-z0-9][A-Za-z0-9-]{0,31}$/.test(name)) return name
  throw new Failure('usage', `"${name}" cannot name the log in NATS: up to 32 letters, digits and -`)
}

function replicasOf(query: string | undefined, serverCount: number): number {
  if (query === undefined || query === '') return replicaCounts.findLast((count) => count <= serverCount) ?? 1
  const asked = Number(/^replicas=(\d)$/.exec(query)?.[1])
  if (replicaCounts.includes(asked)) return asked
  throw new Failure('usage', 'after the ? of a NATS address, write replicas=1, replicas=3 or replicas=5')
}
