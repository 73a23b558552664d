// What becomes of a download that has just got its final name.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { hashPiece } from '../../../src/client/hashing/piece-hash.ts'
import { Bitfield } from '../../../src/common/bitfield.ts'
import { buildManifest } from '../../../src/common/manifest.ts'
import { accept } from '../../../src/common/refusal.ts'
import { oneLibrary } from '../sharing/one-library.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const manifest = buildManifest(7, hashPiece(Buffer.from('content')))
const { fileId, sizeBytes } = manifest

async function makeLibrary() {
  const folder = temporaryFolder()
  const one = await oneLibrary(folder)
  const file = { group: 'g', name: 'f.bin', fileId, sizeBytes, path: join(folder, 'f.bin') }
  // The download serves its pieces until somebody else does.
  const offer = one.sources.offer(
    { group: 'g', name: 'f.bin', fileId },
    { manifest, have: Bitfield.full(1), read: () => Promise.resolve(accept(undefined)) },
  )
  void offer.announce()
  /** As the download does it: its own offer ends when the library has one. */
  const adopt = async (flushed: Promise<void>): Promise<void> => {
    await one.library.adopt(file, manifest, flushed)
    offer.withdraw('something else serves it')
  }
  return { ...one, file, adopt }
}

test('a file whose folder is gone before it reached the disk is not shared, and does not end the program', async () => {
  // Nobody listened to the flush of a file that had been moved away at once: its failure was an
  // unhandled rejection. And the client stayed listed with pieces that it could not read any more.
  const { adopt, sources, notices, retracted, file } = await makeLibrary()
  await adopt(Promise.reject(new Error('no such folder')))
  expect(notices).toEqual([
    `${file.path} may not have reached the disk: no such folder`,
    `f.bin is not shared in g at the moment: ${file.path} is not there`,
  ])
  expect(sources.find('g', fileId)).toBeUndefined()
  expect(retracted).toEqual([{ group: 'g', name: 'f.bin', fileId }])
})

test('a file that may not have reached the disk is shared, and hashed again before the next time', async () => {
  const { adopt, sources, notices, store, file } = await makeLibrary()
  writeFileSync(file.path, 'content')
  await adopt(Promise.reject(new Error('the disk failed')))
  expect(notices).toEqual([`${file.path} may not have reached the disk: the disk failed`])
  expect(sources.find('g', fileId)).toBeDefined()
  expect(store.shares()).toEqual([file])
})

test('a file that has reached the disk is remembered with its stamp', async () => {
  const { adopt, notices, store, file } = await makeLibrary()
  writeFileSync(file.path, 'content')
  await adopt(Promise.resolve())
  expect(notices).toEqual([])
  await vi.waitFor(() =>
    expect(store.shares()).toEqual([
      { ...file, stamp: expect.any(String), manifest: manifest.bytes.toString('base64') },
    ]),
  )
})
