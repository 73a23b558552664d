// What tests of the upload queue ask it for.

import type { Answering } from '../../../src/client/sharing/answering.ts'
import type { Request } from '../../../src/client/sharing/upload-order.ts'
import { accept, type Answer } from '../../../src/common/refusal.ts'
import { settle } from '../transfer/fake-clock.ts'
import { FakePeer } from './fake-peer.ts'

/** A piece whose every byte is the number of its request. */
export function piece(id: number): Asked {
  return asked(id, (buffer) => Promise.resolve(accept(buffer.fill(id % 256))))
}

export interface Asked extends Request<Answering> {
  readonly load: (buffer: Buffer) => Promise<Answer<Uint8Array>>
}

export function asked(id: number, load: Asked['load']): Asked {
  return { id, load, take: () => ({ index: id, load }) }
}

/** Pieces of which it is counted how many were read from disk. */
export function countedPieces(): { loads: number; piece: (id: number) => ReturnType<typeof piece> } {
  const counted = {
    loads: 0,
    piece: (id: number) =>
      asked(id, (buffer: Buffer) => {
        counted.loads++
        return piece(id).load(buffer)
      }),
  }
  return counted
}

/** A piece that is read from disk only when the test says so. */
export function heldPiece(id: number): ReturnType<typeof piece> & { loaded: boolean; release: () => void } {
  let release: () => void = () => undefined
  const held = new Promise<void>((done) => (release = done))
  const request = {
    ...asked(id, async (buffer: Buffer) => {
      request.loaded = true
      await held
      return accept(buffer.fill(id % 256))
    }),
    loaded: false,
    release: () => release(),
  }
  return request
}

export function swarm(count: number): { peers: FakePeer[]; order: string[] } {
  const order: string[] = []
  const peers = Array.from(
    { length: count },
    (_, index) => new FakePeer(`p${index}`, (peer, id) => order.push(`${peer.name}:${id}`)),
  )
  return { peers, order }
}

export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await settle()
}
