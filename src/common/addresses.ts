// Parses and formats addresses as people write them, `ip:port`.

import { BlockList, isIP } from 'node:net'
import { Failure } from './failure.ts'
import { isLoopback } from './networks.ts'

/** A TCP address. `port` is 0 to 65535; 0 means "any free port" and is only good for listening. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** `1.2.3.4:80` or `[::1]:80`. */
export function formatAddress(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`
}

/** Parses `ip:port`. Throws a `usage` failure when it is not an address. */
export function parseAddress(text: string): Address {
  const split = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text)
  const host = split?.[1] ?? split?.[2]
  if (split === null || host === undefined)
    throw new Failure('usage', `"${text}" is not an address like 127.0.0.1:9002`)
  return checkedAddress(host, split[3] ?? '')
}

/** `ip:port` or `name:port`, of what is connected to. Throws a `usage` failure when it is neither. */
export function parseRemoteAddress(text: string): Address {
  const [, name, port = ''] = /^([a-z0-9](?:[a-z0-9.-]*[a-z0-9])?):(\d{1,5})$/i.exec(text) ?? []
  if (name === undefined || name === 'localhost' || !/[a-z]/i.test(name)) return parseAddress(text)
  const number = Number(port)
  if (number > 65_535) throw new Failure('usage', `"${port}" is not a port (0 to 65535)`)
  return { host: name.toLowerCase(), port: number }
}

/** `name`, `ip`, `name:port` or `ip:port`; port 0 where there is none. Throws a `usage` failure when it is neither. */
export function parseAdvertised(text: string): Address {
  if (isIP(text) !== 0) return { host: text, port: 0 }
  return parseRemoteAddress(/:\d+$/.test(text) ? text : `${text}:0`)
}

/** An address from its two parts. Throws a `usage` failure when one of them is invalid. */
export function checkedAddress(host: string, port: string): Address {
  const ip = host === 'localhost' ? '127.0.0.1' : host
  if (isIP(ip) === 0 && /^[a-z0-9.-]*[a-z][a-z0-9.-]*$/i.test(host))
    throw new Failure('usage', `"${host}" is a name; write the IP address of that machine`)
  if (isIP(ip) === 0) throw new Failure('usage', `"${host}" is not an IP address`)
  const number = Number(port)
  if (!/^\d{1,5}$/.test(port) || number > 65_535)
    throw new Failure('usage', `"${port}" is not a port (0 to 65535)`)
  return { host: ip, port: number }
}

/** Whether a listening address means "any address", which does not say where to connect from. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
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
 * Whether a client that is seen at `observed` may say that others reach it at `host`, both IP addresses: whoever asks for
 * its files connects there. Not to their own machine, to many at once, or to none.
 */
export function mayAdvertise(host: string, observed: string): boolean {
  if (isLoopback(host)) return isLoopback(observed)
  return isIP(host) === 6 ? !notUnicast.ipv6.check(host, 'ipv6') : !notUnicast.ipv4.check(host)
}
