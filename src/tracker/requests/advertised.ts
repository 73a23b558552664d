// Where a client may say that others reach it.

import { BlockList, isIP } from 'node:net'
import { isLoopback } from '../../common/networks.ts'

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
 * Whether a client that is seen at `observed` may say that others reach it at `host`, both IP addresses: whoever asks for
 * its files connects there. Not to their own machine, to many at once, or to none.
 */
export function mayAdvertise(host: string, observed: string): boolean {
  if (isLoopback(host)) return isLoopback(observed)
  return isIP(host) === 6 ? !notUnicast.ipv6.check(host, 'ipv6') : !notUnicast.ipv4.check(host)
}
