import { mkdirSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { OpenFiles } from '../../../src/client/sharing/open-files.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const openMax = 32

interface Place {
  readonly files: OpenFiles
  readonly path: (index: number) => string
  /** Files of the folder that this process has open (Linux). */
  readonly openNow: () => number
  readonly read: (owner: object, index: number) => Promise<number>
}

function place(count: number): Place {
  const folder = join(temporaryFolder(), 'files')
  mkdirSync(folder)
  const path = (index: number): string => join(folder, `${index}`)
  for (let index = 0; index < count; index++) writeFileSync(path(index), Buffer.from([index]))
  const files = new OpenFiles()
  const read = (owner: object, index: number): Promise<number> =>
    files.use(owner, path(index), async (file) => {
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 0)
      return buffer[0] ?? -1
    })
  const openNow = (): number =>
    readdirSync('/proc/self/fd').filter((each) => {
      try {
        return readlinkSync(`/proc/self/fd/${each}`).startsWith(folder)
      } catch {
        return false
      }
    }).length
  return { files, path, openNow, read }
}

const onLinux = process.platform === 'linux'

test.runIf(onLinux)('of many files that were read few stay open, those that were read last', async () => {
  const { files, openNow, read } = place(200)
  const owners = Array.from({ length: 200 }, () => ({}))
  for (const [index, owner] of owners.entries()) expect(await read(owner, index)).toBe(index)
  expect(files.count).toBe(openMax)
  await vi.waitFor(() => expect(openNow()).toBe(openMax))
  for (const owner of owners) files.close(owner)
  await vi.waitFor(() => expect(openNow()).toBe(0))
})

test('a file that is in use is not closed under its user, however many come', async () => {
  const { files, path, read } = place(50)
  const owner = {}
  let goOn = (): void => undefined
  const waiting = new Promise<void>((resolve) => (goOn = resolve))
  const reading = files.use(owner, path(7), async (file) => {
    await waiting
    return (await file.read(Buffer.alloc(1), 0, 1, 0)).buffer[0]
  })
  for (let index = 0; index < 50; index++) await read({}, index)
  files.close(owner)
  goOn()
  expect(await reading).toBe(7)
})

test('a file that is closed while it is used is opened anew for the next', async () => {
  const { files, read } = place(2)
  const owner = {}
  const first = read(owner, 0)
  files.close(owner)
  expect([await first, await read(owner, 1)]).toEqual([0, 1])
})

test.runIf(onLinux)('files that nobody reads for a while are closed', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { files, openNow, read } = place(3)
  for (const index of [0, 1, 2]) await read({}, index)
  expect(openNow()).toBe(3)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(files.count).toBe(0)
  await vi.waitFor(() => expect(openNow()).toBe(0))
})

test('a file that cannot be opened is tried anew the next time', async () => {
  const { files, path, read } = place(1)
  const owner = {}
  await expect(files.use(owner, `${path(0)}.missing`, () => Promise.resolve())).rejects.toMatchObject({
    code: 'ENOENT',
  })
  expect(await read(owner, 0)).toBe(0)
  expect(files.count).toBe(1)
})
