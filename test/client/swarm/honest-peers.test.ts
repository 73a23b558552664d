// What an honest peer is not blamed for, and what a download does not wait for.

import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { PeerLink } from '../../../src/client/downloading/peer-link.ts'
import { PartFile } from '../../../src/client/downloading/part-file.ts'
import { Failure } from '../../../src/common/failure.ts'
import { pieceBytes } from '../../../src/common/limits.ts'
import { FakeSeeder } from './fake-seeder.ts'
import { OneDownload } from './one-download.ts'

// The peer was banned, and named, for the banner of an SSH server that listened where it had been before.
test('a peer is not blamed for what a stranger says at its old address', async () => {
  const one = new OneDownload(4 * pieceBytes)
  let closed = 0
  const stranger = createServer((socket) => {
    socket.on('close', () => closed++)
    socket.on('error', () => undefined).resume()
    socket.end('SSH-2.0-stranger\r\n')
  })
  stranger.listen(0, '127.0.0.1')
  await once(stranger, 'listening')
  onTestFinished(() => void stranger.close())
  const { port } = stranger.address() as AddressInfo
  let asked = 0
  await one.seeder('holder', { piece: () => asked++ })
  const ann = await FakeSeeder.start('ann', one.content, one.manifest)
  onTestFinished(() => ann.stop())
  one.start()
  await one.until('a request', () => asked > 0)
  one.download.onSwarmChanged([{ ...ann.peer, port }], [])
  await vi.waitFor(() => expect(closed).toBeGreaterThan(0))
  one.joins(ann)
  await one.untilComplete()
  expect(one.piecesByUser).toEqual({ ann: 4 })
  expect(one.notices.filter((notice) => notice.startsWith('ann'))).toEqual([])
})

// One peer that sent a byte of the manifest a second was waited for, and nobody who came later was asked.
test('a peer that drips the manifest does not keep one that comes later from giving it', async () => {
  const one = new OneDownload(4 * pieceBytes)
  await one.seeder('eve', { dripsManifest: true, piece: () => undefined })
  one.start()
  await one.until('eve to be asked', () => true)
  one.joins(await one.seeder('ann'))
  await one.untilComplete()
  expect(one.piecesByUser).toEqual({ ann: 4 })
})

// It was asked whether it lives, and could not answer before the end of the piece that it was sending.
test('a peer that stalls in a piece and goes on slowly is not given up', async () => {
  const one = new OneDownload(pieceBytes)
  const slow = await one.seeder('slow', {
    piece: ({ right, sendPart, sendMore }) => {
      const part = right.length / 16
      sendPart(right.length, right.subarray(0, part))
      let at = part
      setTimeout(() => {
        const timer = setInterval(() => {
          sendMore(right.subarray(at, (at += part)))
          if (at >= right.length) clearInterval(timer)
        }, 250)
      }, 2000)
    },
  })
  one.start()
  await one.untilComplete()
  expect(slow.asked).toEqual([0])
  expect(one.isIdentical()).toBe(true)
})

// It began again in a session that was over, and wrote what that one remembered over what the next one did.
test.each([
  [
    'the disk refuses',
    () =>
      Promise.reject(new Failure('file', 'cannot rename', Object.assign(new Error('EIO'), { code: 'EIO' }))),
  ],
  ['somebody wrote to the part file', () => Promise.resolve(undefined)],
])('a download that is closed while it is published, and %s, stays closed', async (_what, outcome) => {
  const one = new OneDownload(2 * pieceBytes)
  await one.seeder('ann')
  let closing: Promise<void> | undefined
  const publish = vi.spyOn(PartFile.prototype, 'publish').mockImplementation(() => {
    closing = one.download.close('stopped')
    return outcome()
  })
  try {
    one.start()
    await one.until('a notice', () => one.notices.length > 0)
    await closing
    expect(one.download.state).toBe('paused')
    expect(one.download.start()).toBe(false)
    expect(publish).toHaveBeenCalledTimes(1)
  } finally {
    publish.mockRestore()
  }
})

// A flush can take tens of milliseconds beside a download, in which the peers were not even dialled.
test('peers are asked while the download is being remembered, and nothing is written before', async () => {
  const one = new OneDownload(2 * pieceBytes)
  let onRemembered = (): void => undefined
  one.remembered = new Promise((resolve) => (onRemembered = resolve))
  const opened = vi.spyOn(PartFile.prototype, 'open')
  onTestFinished(() => opened.mockRestore())
  const fetched = vi.spyOn(PeerLink.prototype, 'fetchManifest')
  onTestFinished(() => fetched.mockRestore())
  await one.seeder('ann')
  one.start()
  await vi.waitFor(() => expect(fetched.mock.settledResults).toMatchObject([{ type: 'fulfilled' }]))
  // Time enough for what would come next.
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(opened).not.toHaveBeenCalled()
  onRemembered()
  await one.untilComplete()
  expect(one.isIdentical()).toBe(true)
})
