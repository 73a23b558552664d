// The address that a client calls out from. Others take the observed address of a connection for where
// this client can be reached, so it should be the one that it listens on.

import { isIPv4 } from 'node:net'
import { isLoopback, isWildcard, type Address } from '../../common/addresses.ts'

/**
 * Undefined leaves the choice to the system: a loopback address cannot call another machine, and an IPv4
 * address cannot call an IPv6 one.
 */
export function callFrom(listen: Address, target: Address): string | undefined {
  if (isWildcard(listen.host) || isLoopback(listen.host) !== isLoopback(target.host)) return undefined
  // Not isIPv6, whose pattern takes Node 8 ms to make, at each start.
  if (isIPv4(listen.host) !== isIPv4(target.host)) return undefined
  return listen.host
}
