// Connections that fill the tracker's house without logging in.

import { connect, type Socket } from 'node:net'
import { giveWay, serveOrders } from '../generator.ts'
import { helloParams } from '../tracker-user.ts'

export type SquatOrder =
  | {
      readonly what: 'come'
      readonly port: number
      readonly connections: number
      /** Say `hello` and `ping`; else nothing. */
      readonly speak: boolean
      /** Come back as soon as they are closed. */
      readonly comeBack: boolean
    }
  | { readonly what: 'leave' }

export interface SquatReport {
  /** Of `come`: how many were there when all had an answer or were closed. Of `leave`: how many still were. */
  readonly inside: number
  /** How often one was closed or refused. */
  readonly closed: number
}

/** A connection without `speak` gets no answer to wait for; it is inside when nothing happened for so long. */
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

/** `onSettled`: it has two answers, was silent for long enough, or has been closed. */
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
