// Opens connections that occupy a tracker's places without logging in.

import { connect, type Socket } from 'node:net'
import { giveWay, serveOrders } from '../generator.ts'
import { helloParams } from '../tracker-user.ts'

export type SquatOrder =
  | {
      readonly what: 'come'
      readonly port: number
      readonly connections: number
      /** They send `hello` and `ping`; otherwise nothing. */
      readonly speak: boolean
      /** They reconnect as soon as they are closed. */
      readonly comeBack: boolean
    }
  | { readonly what: 'leave' }

export interface SquatReport {
  /** After `come`: those open when each had been answered or closed. After `leave`: those that were still open. */
  readonly inside: number
  /** How often one was closed or refused. */
  readonly closed: number
}

/** A silent connection gets no answer; it counts as inside when nothing has happened for this long. */
const silentMs = 300

const sockets = new Set<Socket>()
let closed = 0
let isEnding = false

const lines =
  [
    { jsonrpc: '2.0', id: 0, method: 'hello', params: helloParams },
    { jsonrpc: '2.0', id: 1, method: 'ping', params: {} },
  ]
    .map((message) => JSON.stringify(message))
    .join('\n') + '\n'

/** Calls `onSettled` after two answers, enough silence, or a close. */
function squat(order: SquatOrder & { what: 'come' }, onSettled: () => void): void {
  const socket = connect({ host: '127.0.0.1', port: order.port })
  let answers = 0
  socket.on('connect', () => {
    sockets.add(socket)
    if (order.speak) socket.write(lines)
    else setTimeout(onSettled, silentMs)
  })
  socket.on('data', (bytes: Buffer) => {
    for (const byte of bytes) if (byte === 0x0a) answers++
    if (answers >= 2) onSettled()
  })
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    sockets.delete(socket)
    onSettled()
    if (isEnding) return
    closed++
    if (order.comeBack) squat(order, () => undefined)
  })
}

async function come(order: SquatOrder & { what: 'come' }): Promise<SquatReport> {
  isEnding = false
  closed = 0
  await Promise.all(
    Array.from({ length: order.connections }, () => new Promise<void>((resolve) => squat(order, resolve))),
  )
  return { inside: sockets.size, closed }
}

async function leave(): Promise<SquatReport> {
  const report = { inside: sockets.size, closed }
  isEnding = true
  await Promise.all(
    Array.from(sockets, (socket) => new Promise((resolve) => socket.once('close', resolve).destroy())),
  )
  return report
}

giveWay()
serveOrders(async (order: SquatOrder) => (order.what === 'come' ? come(order) : leave()))
