// What NATS servers say of themselves before anything else, in the clear: their version, and whether they speak TLS.
// Refuses what would go wrong later, in a sentence. Only a hint: who sits between can forge it, so that a tracker does
// not start, but not that it sends a password in the clear or trusts another certificate.

import { connect } from 'node:net'
import { Failure } from '../../../common/failure.ts'
import { natsConnectTimeoutMs, natsGreetingBytesMax } from '../../limits.ts'
import type { NatsAddress } from './nats-address.ts'

/** Of the fields that a server sends. */
export interface NatsGreeting {
  readonly version?: unknown
  readonly tls_required?: unknown
  readonly tls_available?: unknown
}

/**
 * Asks every server of the address; those that do not answer are left to whoever connects to them. Resolves to
 * warnings. Rejects with a `data` failure for a server that this tracker must not use, or cannot as it was told to.
 */
export async function checkServers(address: NatsAddress): Promise<string[]> {
  const greetings = await Promise.all(
    address.servers.map(async (server) => ({ server, greeting: await greetingOf(server) })),
  )
  const warnings = new Set<string>()
  for (const { server, greeting } of greetings) {
    if (greeting === undefined) continue
    checkTls(address, server, greeting)
    const { refusal, warning } = judgeVersion(String(greeting.version))
    if (refusal !== undefined) throw new Failure('data', `NATS at ${server} ${refusal}`)
    if (warning !== undefined) warnings.add(`NATS at ${server} ${warning}`)
  }
  return [...warnings]
}

/** What is wrong with a version: a reason against using it, or a warning, each to be put behind a server's name. */
export function judgeVersion(version: string): { refusal?: string; warning?: string } {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)\.(\d+)/.exec(version) ?? []
  // The worst is https://github.com/nats-io/nats-server/issues/6888, seen in 2.10.20 to 2.10.22 and fixed in 2.10.23: a
  // few servers killed and started could delete a replicated stream, flushed or not. Clustering was mended in between.
  if (major === '2' && minor === '10' && Number(patch) < 23)
    return {
      refusal: `has version ${version}, with known faults that can lose the whole log when servers are killed and start again; update it to 2.10.23 or newer`,
    }
  if (major === '2' && Number(minor) < 10)
    return {
      warning: `has version ${version}, which answers before it flushes: if all servers lose power at once, the last two minutes can be lost; from 2.10.23 on servers flush first with sync_interval: always`,
    }
  return {}
}

function checkTls({ isTls }: NatsAddress, server: string, greeting: NatsGreeting): void {
  if (!isTls && greeting.tls_required === true)
    throw new Failure('data', `NATS at ${server} takes only encrypted connections; write --log tls://…`)
  if (isTls && greeting.tls_required !== true && greeting.tls_available !== true)
    throw new Failure(
      'data',
      `NATS at ${server} does not speak TLS; give it a certificate as deploy/nats/nats.conf does, or write --log nats://… where nobody else can listen`,
    )
}

/** Undefined when none comes: nothing listens there, or it is not NATS, or it speaks first when it is encrypted. */
function greetingOf(server: string): Promise<NatsGreeting | undefined> {
  const [, host = '', port] = /^(.*):(\d+)$/.exec(server) ?? []
  return new Promise((resolve) => {
    const socket = connect(Number(port), host.replace(/^\[(.*)\]$/, '$1'))
    const timer = setTimeout(() => end(undefined), natsConnectTimeoutMs)
    const end = (greeting: NatsGreeting | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(greeting)
    }
    let said = ''
    socket.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const at = said.indexOf('\r\n')
      if (at !== -1 || said.length > natsGreetingBytesMax) end(parse(said.slice(0, at)))
    })
    socket.on('error', () => end(undefined))
    socket.on('close', () => end(undefined))
  })
}

function parse(line: string): NatsGreeting | undefined {
  try {
    const fields: unknown = JSON.parse(/^INFO\s+(\{.*\})\s*$/.exec(line)?.[1] ?? '')
    return typeof fields === 'object' && fields !== null ? fields : undefined
  } catch {
    return undefined
  }
}
