import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, type TestContext } from 'vitest'
import { pieceBytes } from '../../../src/common/limits.ts'
import { OneDownload } from './one-download.ts'

const sizeBytes = 6 * pieceBytes

/** A disk of its own, of so many bytes. Skips the test where it may not make one. */
function smallDisk(context: TestContext, bytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder])
  onTestFinished(() => {
    if (mounted.status === 0) spawnSync('umount', ['-l', folder])
    rmSync(folder, { recursive: true, force: true })
  })
  if (mounted.status !== 0) context.skip('only root may make a small disk (tmpfs) for this')
  return folder
}

describe('a disk that does not take a download', () => {
  test('that is full pauses it with the reason, and it goes on by itself when there is room', async (context) => {
    const disk = smallDisk(context, 4 * pieceBytes)
    const one = new OneDownload(sizeBytes, undefined, join(disk, 'file.bin'))
    writeFileSync(join(disk, 'other'), Buffer.alloc(pieceBytes))
    const other = new OneDownload(sizeBytes)
    for (const download of [one, other]) {
      await download.seeder('ann')
      download.start()
    }
    await one.until('the pause', () => one.notices.length > 0)
    expect(one.notices).toEqual([`paused: cannot write ${one.destination}.part: the disk is full`])
    expect(one.download.view()).toMatchObject({ state: 'paused' })
    await other.untilComplete()
    const had = one.had.length
    expect(had).toBeGreaterThan(0)
    spawnSync('mount', ['-o', `remount,size=${20 * pieceBytes}`, disk])
    await one.untilComplete()
    expect(one.isIdentical()).toBe(true)
    expect(one.notices.at(-1)).toBe('goes on')
    // What was written before the disk was full did not have to come again.
    expect(one.had.length).toBe(6)
  })

  test('that is only for reading at present, likewise', async (context) => {
    const disk = smallDisk(context, 20 * pieceBytes)
    const one = new OneDownload(sizeBytes, undefined, join(disk, 'file.bin'))
    spawnSync('mount', ['-o', 'remount,ro', disk])
    await one.seeder('ann')
    one.start()
    await one.until('the pause', () => one.notices.length > 0)
    expect(one.notices[0]).toMatch(/the file system is read-only$/)
    spawnSync('mount', ['-o', 'remount,rw', disk])
    await one.untilComplete()
    expect(one.isIdentical()).toBe(true)
  })

  test('whose folder is away waits for it to come back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coterie-away-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    mkdirSync(join(folder, 'disk'))
    const one = new OneDownload(sizeBytes, undefined, join(folder, 'disk', 'file.bin'))
    renameSync(join(folder, 'disk'), join(folder, 'away'))
    await one.seeder('ann')
    one.start()
    await one.until('the pause', () => one.notices.length > 0)
    expect(one.notices[0]).toMatch(/the folder does not exist$/)
    renameSync(join(folder, 'away'), join(folder, 'disk'))
    await one.untilComplete()
    expect(one.isIdentical()).toBe(true)
  })
})

describe('a part file that is taken away under a download', () => {
  test('is noticed at once, and the download begins again', async () => {
    const one = new OneDownload(sizeBytes)
    let isRemoved = false
    await one.seeder('ann', {
      piece: (reply, index) => void ((index !== 5 || isRemoved) && reply.send(reply.right)),
    })
    one.start()
    await one.until('some pieces', () => one.had.length >= 3)
    rmSync(`${one.destination}.part`)
    isRemoved = true
    await one.until('the pause', () => one.notices.length > 0)
    expect(one.notices[0]).toBe(`paused: ${one.destination}.part was removed`)
    await one.untilComplete()
    expect(one.isIdentical()).toBe(true)
  })

  test('by another file is left as it is, and the download waits for a person', async () => {
    const one = new OneDownload(sizeBytes)
    await one.seeder('ann', { piece: (reply, index) => void (index !== 5 && reply.send(reply.right)) })
    one.start()
    await one.until('some pieces', () => one.had.length >= 3)
    writeFileSync(`${one.destination}.new`, 'somebody else')
    chmodSync(`${one.destination}.new`, 0o600)
    renameSync(`${one.destination}.new`, `${one.destination}.part`)
    await one.until('the pause', () => one.notices.length > 0)
    expect(one.notices).toEqual([`paused: ${one.destination}.part was replaced by another file`])
  })
})
