// Files of a disk that fails for a moment, as a network or a USB disk does. The errors are injected.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { pieceBytes } from '../../../src/common/limits.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { oneLibrary, type OneLibrary } from './one-library.ts'
import { manifestOf, sampleBytes } from './sample-file.ts'

/** By path: the error that the system gives. */
const failing = vi.hoisted(() => new Map<string, string>())

vi.mock('node:fs/promises', async (original) => {
  const real = await original<Record<string, (...words: any[]) => Promise<unknown>>>()
  const guarded = (name: string) => {
    return (path: string, ...words: unknown[]): Promise<unknown> => {
      const code = failing.get(path)
      if (code === undefined || (code === 'EACCES' && name === 'stat')) return real[name]!(path, ...words)
      return Promise.reject(Object.assign(new Error(`${code}: injected`), { code, syscall: name, path }))
    }
  }
  return { ...real, stat: guarded('stat'), open: guarded('open'), access: guarded('access') }
})

const bytes = sampleBytes(2000)
const version = { group: 'g', name: 'f.bin', fileId: manifestOf(bytes).fileId }

async function shared(): Promise<OneLibrary & { folder: string; path: string }> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => {
    failing.clear()
    vi.useRealTimers()
  })
  const folder = temporaryFolder()
  const path = join(folder, 'f.bin')
  writeFileSync(path, bytes)
  const one = await oneLibrary(folder)
  expect(await one.library.upload(path, 'g')).toMatchObject({ ok: true })
  return { ...one, folder, path }
}

/** The next sweep has happened. */
function sweep(): void {
  vi.advanceTimersByTime(1000)
}

function read({ sources }: OneLibrary): Promise<unknown> | undefined {
  return sources.find('g', version.fileId)?.read(0, Buffer.alloc(pieceBytes))
}

test.each(['ESTALE', 'EIO', 'ENOENT'])(
  'a shared file whose disk says %s is withdrawn, said so once, and shared again when it can be read',
  async (code) => {
    const one = await shared()
    expect(one.announced).toHaveLength(1)
    failing.set(one.path, code)
    sweep()
    await vi.waitFor(() => expect(one.retracted).toMatchObject([version]))
    expect(one.sources.find('g', version.fileId)).toBeUndefined()
    for (let again = 0; again < 20; again++) sweep()
    expect(one.notices).toEqual([
      expect.stringMatching(/cannot be read \(.*\); it is shared again as soon as it can be read/),
    ])
    failing.clear()
    await vi.waitFor(() => {
      sweep()
      expect(one.announced).toHaveLength(2)
    })
    expect(await read(one)).toMatchObject({ ok: true })
    expect(one.notices.at(-1)).toMatch(/can be read again, and is shared/)
    expect(one.store.shares()).toHaveLength(1)
  },
)

test('a file that may not be read for a moment is refused to who asks, and shared again afterwards', async () => {
  const one = await shared()
  failing.set(one.path, 'EACCES')
  expect(await read(one)).toMatchObject({ refusal: { code: 'file-changed' } })
  expect(one.retracted).toMatchObject([version])
  failing.clear()
  await vi.waitFor(() => {
    sweep()
    expect(one.announced).toHaveLength(2)
  })
  expect(await read(one)).toMatchObject({ ok: true })
})

test('too many open files say nothing about a file: it stays shared', async () => {
  const one = await shared()
  failing.set(one.path, 'EMFILE')
  expect(await read(one)).toMatchObject({ refusal: { code: 'busy' } })
  failing.clear()
  expect(await read(one)).toMatchObject({ ok: true })
  expect([one.retracted, one.notices]).toEqual([[], []])
})

test('a file that cannot be read at the login is taken up when it can', async () => {
  const one = await shared()
  await one.library.close()
  await one.store.saved()
  failing.set(one.path, 'EIO')
  const next = await oneLibrary(one.folder)
  await next.library.resume()
  expect(next.notices).toEqual([expect.stringMatching(/^f.bin is not shared in g at the moment: /)])
  failing.clear()
  await vi.waitFor(() => {
    sweep()
    expect(next.announced).toHaveLength(1)
  })
  expect(await read(next)).toMatchObject({ ok: true })
})
