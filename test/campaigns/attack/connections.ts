// Connections without a login that are silent, slow or greedy, at the tracker and at a client: each that is closed is
// opened again at once.

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as connectSecurely, type TLSSocket } from 'node:tls'
import { callingContext } from '../../../src/common/wire/tls.ts'
import type { Attack, Battle, Scene } from './battle.ts'

const targets = {
  'the tracker': ({ tracker }: Scene): number => tracker.port,
  'the client': ({ seederPort }: Scene): number => seederPort,
} as const
type Target = keyof typeof targets

/** The addresses that he has, other than the one that Ben comes from. */
const addresses = Array.from({ length: 8 }, (_, index) => `127.0.1.${index + 1}`)
/** Between two bytes of a slow connection: faster than any bound on silence. */
const dribbleMs = 50
/** One that was refused comes again after this time: else it would only keep itself busy. */
const refusedPauseMs = 5
const hugeChunk = Buffer.alloc(64 * 1024, 'x')

/** What one connection does; resolves when it has ended, or there is no more to do. */
type Deed = (socket: Socket, hello: Buffer, battle: Battle) => void

interface Kind {
  readonly connections: number
  /** Whether the handshake is done first. */
  readonly isSecure: boolean
  readonly deed: Deed
}

const kinds: Readonly<Record<string, Kind>> = {
  'that never speak': { connections: 2000, isSecure: false, deed: () => undefined },
  'that never speak after the handshake': { connections: 300, isSecure: true, deed: () => undefined },
  'that begin a handshake a byte at a time': {
    connections: 1000,
    isSecure: false,
    deed: (socket, hello) => dribble(socket, hello),
  },
  'that speak a byte at a time': {
    connections: 300,
    isSecure: true,
    deed: (socket) => dribble(socket, Buffer.from(`{"jsonrpc":"2.0","id":0,"method":"${'x'.repeat(3000)}`)),
  },
  'with a line that does not end': { connections: 100, isSecure: true, deed: (socket) => flood(socket) },
  'with handshakes begun and left': {
    connections: 50,
    isSecure: false,
    deed: (socket, hello) => {
      socket.write(hello)
      // The other end has done its share of the work then.
      socket.once('data', () => socket.destroy())
    },
  },
  'with half a handshake, held': {
    connections: 1000,
    isSecure: false,
    deed: (socket, hello) => void socket.write(hello),
  },
  'that come and go': { connections: 50, isSecure: false, deed: (socket) => void socket.destroy() },
}

export const connectionAttacks: readonly Attack[] = Object.keys(targets).flatMap((target) =>
  Object.entries(kinds).map(([name, kind]) => ({
    name: `connections to ${target} ${name}`,
    attacker: 'an outsider' as const,
    unit: 'connections',
    run: (battle: Battle) => attack(battle, target as Target, kind),
  })),
)

async function attack(battle: Battle, target: Target, { connections, isSecure, deed }: Kind): Promise<void> {
  const { findings, scene, over } = battle
  const hello = await beginningOfHandshake()
  const port = targets[target](scene)
  const open = new Set<Socket>()
  let mostOpen = 0
  const come = async (index: number): Promise<void> => {
    const localAddress = addresses[index % addresses.length]
    while (battle.goesOn()) {
      const options = { host: '127.0.0.1', port, localAddress }
      const socket = isSecure
        ? connectSecurely({ ...options, secureContext: callingContext(), rejectUnauthorized: false })
        : connect(options)
      open.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('data', () => undefined)
      const ready = isSecure ? 'secureConnect' : 'connect'
      let isReady = false
      socket.once(ready, () => {
        isReady = true
        findings.onTried()
        mostOpen = Math.max(mostOpen, open.size)
        deed(socket, hello, battle)
      })
      await new Promise<void>((resolve) => socket.once('close', () => resolve()))
      open.delete(socket)
      findings.onAnswer(isReady ? 'closed' : 'refused')
      if (!isReady) await pause(refusedPauseMs)
    }
  }
  const all = Array.from({ length: connections }, (_, index) => come(index))
  battle.begun()
  await over
  findings.note('at once', String(mostOpen))
  for (const socket of open) socket.destroy()
  await Promise.all(all)
}

function dribble(socket: Socket, bytes: Buffer): void {
  let at = 0
  const timer = setInterval(() => {
    if (at < bytes.length) socket.write(bytes.subarray(at, ++at))
  }, dribbleMs)
  socket.once('close', () => clearInterval(timer))
}

/** Sends as fast as the socket takes it. */
function flood(socket: Socket): void {
  const more = (): void => {
    if (socket.destroyed) return
    if (socket.write(hugeChunk)) setImmediate(more)
    else socket.once('drain', more)
  }
  more()
}

/** What a client of ours says first. */
async function beginningOfHandshake(): Promise<Buffer> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const client: TLSSocket = connectSecurely({ port, host: '127.0.0.1', secureContext: callingContext() })
  client.on('error', () => undefined)
  const [called] = (await once(server, 'connection')) as [Socket]
  const [bytes] = (await once(called, 'data')) as [Buffer]
  client.destroy()
  called.destroy()
  server.close()
  return bytes
}
