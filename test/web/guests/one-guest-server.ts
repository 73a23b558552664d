// A server for guests with links of its own, and connections to it that say what a test likes.

import type { Socket } from 'node:net'
import { connect } from 'node:tls'
import { onTestFinished } from 'vitest'
import type { GuestContent, GuestEntry, GuestLink, GuestLinks } from '../../../src/client/guest-links.ts'
import { accept, refuse, type Answer } from '../../../src/common/refusal.ts'
import { keptCertificate } from '../../../src/web/guests/guest-certificate.ts'
import { GuestServer, type GuestServerOptions } from '../../../src/web/guests/guest-server.ts'
import { temporaryFolder } from '../../client/temporary-folder.ts'

export const secret = 'x'.repeat(43)

export interface OneGuestServer {
  readonly server: GuestServer
  readonly url: string
  readonly failures: unknown[]
  /** What was sent, as `<name> <from>-<to> to <guest>`. */
  readonly sent: string[]
}

export interface Fakes {
  /** Instead of an entry at `secret`. */
  readonly link?: GuestLink
  readonly entry?: Partial<GuestEntry>
  readonly bytes?: Buffer
  readonly send?: (signal: AbortSignal) => Promise<Answer<ReadableStream<Uint8Array>>>
}

function linksOf(
  { link, entry, bytes = Buffer.from('0123456789'), send }: Fakes,
  sent: string[],
): GuestLinks {
  const contentOf = (name: string): GuestContent => ({
    ...{ name, sizeBytes: bytes.length, tag: `id of ${name}` },
    send: async ({ from, to }, guest, signal) => {
      sent.push(`${name} ${from}-${to} to ${guest}`)
      return send?.(signal) ?? accept(new Response(bytes.subarray(from, to)).body ?? new ReadableStream())
    },
  })
  const mine: GuestEntry = {
    name: 'a file.txt',
    user: 'ann',
    sizeBytes: bytes.length,
    files: undefined,
    untilMs: Date.UTC(2026, 4, 12, 9, 30),
    sha256: 'ab'.repeat(32),
    list: async () => accept([]),
    open: async (path) =>
      accept(contentOf(path ?? (mine.files === undefined ? mine.name : `${mine.name}.tar`))),
    ...entry,
  }
  return { find: (asked) => (asked === secret ? (link ?? { entry: mine }) : undefined) }
}

export async function oneGuestServer(
  fakes: Fakes = {},
  options: Partial<GuestServerOptions> = {},
): Promise<OneGuestServer> {
  const [failures, sent]: [unknown[], string[]] = [[], []]
  const { pem } = keptCertificate(temporaryFolder())
  const server = await GuestServer.start({
    listen: { host: '127.0.0.1', port: 0 },
    pem,
    links: linksOf(fakes, sent),
    onFailure: (error) => failures.push(error),
    ...options,
  })
  onTestFinished(() => server.close())
  return { server, url: `https://127.0.0.1:${server.port}`, failures, sent }
}

/** A folder of these files. */
export function folderOf(paths: readonly string[]): Partial<GuestEntry> {
  return {
    name: 'trip',
    files: paths.length,
    sha256: undefined,
    list: async (max) => accept(paths.slice(0, max).map((path) => ({ path, sizeBytes: 10 }))),
  }
}

export const noSuchFile = refuse('no-such-file', 'there is no such file')

/** An encrypted connection on which a test writes what it likes; what came back is collected. */
export function rawGuest({ server }: OneGuestServer): {
  socket: Socket
  read: () => string
  secured: Promise<void>
  closed: Promise<void>
} {
  const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false })
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const secured = new Promise<void>((resolve) => socket.once('secureConnect', () => resolve()))
  return { socket, read: () => text, secured, closed }
}
