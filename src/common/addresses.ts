// Parses and formats addresses as people write them, `ip:port`.

import { isIP } from 'node:net'
import { Failure } from './failure.ts'

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
