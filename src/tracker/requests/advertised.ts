// Where a client may say that others reach it. Whoever asks for its files dials there, so nobody may send others to a
// stranger.

import { BlockList, isIP } from 'node:net'
import { isLoopback, isPrivate, networkOf } from '../../common/networks.ts'

/** The addresses beside its own that a client may advertise, as the operator says: none, any, or these. */
export type Advertised = 'observed' | 'any' | BlockList

/** Where a client says that others reach it. */
export interface Where {
  readonly host?: string | undefined
  readonly port: number
  /** See `where` in the protocol. */
  readonly local?: readonly string[] | undefined
  readonly localPort?: number | undefined
  readonly mapped?: true | undefined
  readonly relays?: true | undefined
}

/** Where others are sent. */
export interface Placed extends Omit<Where, 'host'> {
  readonly host: string
  /** What the client advertised and nobody is told. */
  readonly ignored: string | undefined
}

/** Addresses that are not those of one machine to others (RFC 6890). */
const notUnicast = { ipv4: new BlockList(), ipv6: new BlockList() }
for (const [prefix, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const)
  notUnicast.ipv4.addSubnet(prefix, bits)
for (const [prefix, bits] of [
  ['::', 127],
  // IPv4 addresses once more, which would need all of the above once more.
  ['::ffff:0:0', 96],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  notUnicast.ipv6.addSubnet(prefix, bits, 'ipv6')

/**
 * Whether a client that is seen at `observed` may say that others reach it at `host`, both IP addresses: not at their own
 * machine, at many at once, or at none.
 */
export function mayAdvertise(host: string, observed: string): boolean {
  if (isLoopback(host)) return isLoopback(observed)
  return isIP(host) === 6 ? !notUnicast.ipv6.check(host, 'ipv6') : !notUnicast.ipv4.check(host)
}

/**
 * Where others are sent to a client that is seen at `observed`: to the address that it advertises when that is its own
 * or one that the operator allows, else to the observed one. Of the addresses on its own networks only private ones are
 * passed on.
 */
export function placeOf({ host, local, ...rest }: Where, observed: string, allowed: Advertised): Placed {
  const isTaken = host === undefined || isOwn(host, observed) || isAllowed(host, allowed)
  return {
    ...rest,
    host: isTaken ? (host ?? observed) : observed,
    ignored: isTaken ? undefined : host,
    local: local?.filter((each) => isPrivate(each)),
  }
}

/** Every address of a subscriber's network is his, and every loopback address is of the same machine. */
function isOwn(host: string, observed: string): boolean {
  return networkOf(host) === networkOf(observed) || (isLoopback(host) && isLoopback(observed))
}

function isAllowed(host: string, allowed: Advertised): boolean {
  if (typeof allowed === 'string') return allowed === 'any'
  return allowed.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}
