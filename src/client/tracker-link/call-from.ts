// Chooses the local address for outgoing connections. Others take the observed address of a connection for
// the one where they can reach this client, so it should be the listening address.

import { isIPv4 } from 'node:net'
import { isWildcard, type Address } from '../../common/addresses.ts'
import { isLoopback } from '../../common/networks.ts'

/**
 * Undefined leaves the choice to the system: a loopback address cannot connect to another machine, and an
 * IPv4 address cannot connect to an IPv6 one.
 */
export function callFrom(listen: Address, target: Address): string | undefined {
  if (isWildcard(listen.host) || isLoopback(listen.host) !== isLoopback(target.host)) return undefined
  // Avoids isIPv6: Node takes 8 ms to build its pattern, at each start.
  if (isIPv4(listen.host) !== isIPv4(target.host)) return undefined
  return listen.host
}

/**
 * Likewise for a connection whose local port is used for others, too, so that routers take what comes back for an answer
 * (a simultaneous open): a port that was chosen at once can be shared, one that the system chooses later cannot.
 */
export function callableFrom(
  listen: Address,
  target: Address,
): { readonly localHost?: string; readonly localPort?: number } {
  const localHost = callFrom(listen, target)
  if (isLoopback(target.host)) return localHost === undefined ? {} : { localHost }
  return { localHost: localHost ?? (isIPv4(target.host) ? '0.0.0.0' : '::'), localPort: 0 }
}
