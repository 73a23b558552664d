// The clients that this one is connected with at present, and by which way.

import type { Way } from '../way.ts'
import type { Core } from './core.ts'

export interface Connection {
  /** Of another client, which may be connected in both directions, and for several files. */
  readonly key: string
  /** `in`: it sends to this client. */
  readonly direction: 'in' | 'out'
  readonly way: Way
  readonly bytesPerSecond: number
}

export function connectionsOf({ session, uploads }: Pick<Core, 'session' | 'uploads'>): Connection[] {
  const downloads = session()?.downloads.all ?? []
  const incoming = downloads.flatMap(({ peers }) =>
    peers.map(({ key, way, bytesPerSecond }) => ({ key, direction: 'in', way, bytesPerSecond }) as const),
  )
  const outgoing = uploads().map(
    ({ key, way, bytesPerSecond }) => ({ key, direction: 'out', way, bytesPerSecond }) as const,
  )
  return [...incoming, ...outgoing]
}

/** By which way each client is connected; one that is connected twice counts once. */
export function waysOf(connections: readonly Connection[]): Way[] {
  return [...new Map(connections.map(({ key, way }) => [key, way])).values()]
}
