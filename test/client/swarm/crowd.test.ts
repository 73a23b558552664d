// What costs nothing while one downloads, and much when many do.

import { expect, test } from 'vitest'
import { pieceBytes } from '../../../src/common/limits.ts'
import type { PieceReply } from './fake-seeder.ts'
import { OneDownload } from './one-download.ts'

function sendAll(replies: PieceReply[]): (() => void)[] {
  return replies.splice(0).map((reply) => () => reply.send(reply.right))
}

// In a crowd two peers choose the same piece all the time, and one of them is told to cancel. Each such refusal made
// it rest, and the fourth put it aside: 16 downloaders took 5 % longer.
test('a peer that cancels what it is told to is as good as before', async () => {
  const one = new OneDownload(64 * pieceBytes)
  const held: (() => void)[] = []
  const taken: number[] = []
  const waiting: PieceReply[] = []
  let cancelled = 0
  const cancelWhatIsTaken = (): void => {
    while (taken.length > 0 && waiting.length > 0) {
      const reply = waiting.shift()!
      reply.promise(taken.shift())
      reply.refuse('cancelled', 'cancelled')
      if (++cancelled === 5) for (const send of [...held.splice(0), ...sendAll(waiting)]) send()
    }
  }
  await one.seeder('holder', {
    piece: (reply) => {
      const send = (): void => reply.send(reply.right)
      if (reply.before === 0) setTimeout(send, 20)
      else if (cancelled >= 5) send()
      else {
        reply.promise()
        held.push(send)
      }
    },
  })
  await one.seeder('second', {
    onTaken: (index) => {
      taken.push(index)
      cancelWhatIsTaken()
    },
    piece: (reply) => {
      if (cancelled >= 5) return reply.send(reply.right)
      waiting.push(reply)
      cancelWhatIsTaken()
    },
  })
  one.start()
  await one.untilComplete()
  expect(cancelled).toBeGreaterThanOrEqual(5)
  expect(one.notices).toEqual([])
  expect(one.piecesByUser['second']).toBeGreaterThan(0)
})

// All connections were shown the ticket again whenever somebody joined: in a crowd the peers did little but verify it.
test('peers are shown a ticket once, however many join', async () => {
  const one = new OneDownload(8 * pieceBytes)
  const held: (() => void)[] = []
  const seeder = await one.seeder('seeder', { piece: ({ send, right }) => held.push(() => send(right)) })
  one.start()
  await one.until('a request', () => held.length > 0)
  for (let each = 0; each < 5; each++) {
    const more = await one.seeder(`more-${each}`)
    one.joins(more)
  }
  for (const send of held.splice(0)) send()
  await one.untilComplete()
  expect(seeder.renewals).toBe(0)
})

// Peers that were told that a piece is coming do not say when they get it. When the only one known to have it then went
// away, the download stood for ever.
test('a piece whose only known sharer went away is got from one that was told it was coming', async () => {
  const one = new OneDownload(2 * pieceBytes)
  const none = Buffer.alloc(1).toString('base64')
  const held: PieceReply[] = []
  let taken = 0
  const second = await one.seeder('second', {
    bitfield: none,
    getsWhatIsTaken: true,
    onTaken: () => {
      if (++taken < 2) return
      first.stop()
      held[0]?.hangUp()
    },
  })
  const first = await one.seeder('first', { piece: (reply) => held.push(reply) })
  one.start()
  await one.until('requests at both', () => second.waits > 0 && held.length === 2)
  for (const { promise } of held) promise()
  await one.untilComplete()
  expect(new Set(second.asked)).toEqual(new Set([0, 1]))
})
