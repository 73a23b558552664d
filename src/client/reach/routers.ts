// The routers of this network that forward ports at the request of a program: UPnP IGD, found by multicast, and NAT-PMP
// (RFC 6886), asked for at the default gateway.

import type { Gateway } from '@achingbrain/nat-port-mapper'
import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { Failure } from '../../common/failure.ts'

/** The port that others may dial, and the router's own address outside, where it tells. */
export interface Forwarding {
  readonly port: number
  readonly host: string | undefined
}

export interface Router {
  /** Its address in this network. */
  readonly host: string
  /** How long to wait for its answer, in milliseconds. */
  readonly patienceMs: number
  /**
   * Has it forward a port to this one for an hour, the same where that is free; likewise to go on. Rejects with a failure.
   */
  forward(port: number, signal: AbortSignal): Promise<Forwarding>
  /** Takes back what it forwards to that port, if anything, and ends. Rejects with a failure. */
  release(port: number | undefined, signal: AbortSignal): Promise<void>
}

const description = 'Coterie'
const hour = 3600
/** It is asked whether or not it knows the protocol, and says nothing if not. */
const pmp = { patienceMs: 1500, ttl: hour }
/** It has said that it is there. */
const upnp = { patienceMs: 5000, ttl: hour * 1000 }

/** Those that answer until the signal aborts, in the order in which they do. */
export async function* findRouters(signal: AbortSignal): AsyncGenerator<Router> {
  // Loaded where it is asked for only: it is larger than all of the client.
  const { pmpNat, upnpNat } = await import('@achingbrain/nat-port-mapper')
  const gateway = await defaultGateway()
  if (gateway !== undefined) yield routerOf(pmpNat(gateway, { description }), pmp)
  try {
    for await (const found of upnpNat({ description }).findGateways({ signal })) yield routerOf(found, upnp)
  } catch (error) {
    if (!signal.aborted) throw new Failure('connection-lost', 'no router could be looked for', error)
  }
}

/**
 * `ttl`: of what it forwards. The library renews nothing: of NAT-PMP it takes milliseconds for the seconds of the protocol,
 * and what it renews it does not take back.
 */
function routerOf(gateway: Gateway, { patienceMs, ttl }: { patienceMs: number; ttl: number }): Router {
  const { host } = gateway
  const options = { protocol: 'TCP', ttl, autoRefresh: false } as const
  return {
    host,
    patienceMs,
    async forward(port, signal) {
      try {
        const mapping = await gateway.map(port, await ownAddressTowards(host), { ...options, signal })
        return { port: mapping.externalPort, host: mapping.externalHost }
      } catch (error) {
        throw new Failure('connection-lost', `the router ${host} forwards no port`, error)
      }
    },
    async release(port, signal) {
      const unmapping = { ...options, signal }
      try {
        if (port !== undefined) await gateway.unmap(port, unmapping)
        await gateway.stop({ signal })
      } catch (error) {
        throw new Failure('connection-lost', `the router ${host} does not answer`, error)
      }
    },
  }
}

/** The address of this machine from which packets go there; nothing is sent. */
function ownAddressTowards(host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
    socket.once('error', reject)
    socket.connect(9, host, () => {
      resolve(socket.address().address)
      socket.close()
    })
  })
}

/** Where Linux sends what is for no network of its own; undefined elsewhere, and where there is none. */
async function defaultGateway(): Promise<string | undefined> {
  const table = await readFile('/proc/net/route', 'utf8').catch(() => '')
  for (const line of table.split('\n').slice(1)) {
    const [, destination, gateway] = line.split('\t')
    if (destination !== '00000000' || gateway === undefined) continue
    const bytes = Buffer.from(gateway, 'hex').toReversed()
    if (bytes.length === 4 && bytes.some((byte) => byte !== 0)) return bytes.join('.')
  }
  return undefined
}
