// A download goes over to a new version, unless what it has written already has its name.

import { existsSync, lstatSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Download } from '../../../src/client/downloading/download.ts'
import { idOf } from '../../../src/client/downloading/part-file.ts'
import type { FoundFile } from '../../../src/client/downloading/swarm-lookup.ts'
import { switchOver } from '../../../src/client/downloading/switch-over.ts'
import type { RememberedDownload, UserStore } from '../../../src/client/storage/user-store.ts'
import { FolderPool } from '../../../src/client/workers/folder-pool.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const [old, next] = ['a'.repeat(64), 'b'.repeat(64)] as [string, string]
const found: FoundFile = { fileId: next, sizeBytes: 2, files: 1, peers: [], ticket: 't', expiresMs: 0 }

/** A download of a folder, that was stopped by a kill after it had been filled beside its destination. */
function make(): { folder: string; record: RememberedDownload; filled: string } {
  const folder = temporaryFolder()
  const destination = join(folder, 'data')
  const filled = `${destination}.unpacking.part`
  mkdirSync(filled)
  const what = { group: 'g', name: 'data', fileId: old, sizeBytes: 1, files: 1, destination }
  const how = { overwrite: false, paused: false, unshared: false, unpacked: idOf(lstatSync(filled)) }
  return { folder, record: { ...what, ...how }, filled }
}

async function goOver(
  folder: string,
  record: RememberedDownload,
): Promise<{ result: RememberedDownload | undefined; started: string[]; remembered: string[] }> {
  const [started, remembered]: [string[], string[]] = [[], []]
  const download = {
    isPublishing: false,
    record,
    pause: async () => true,
    start: ({ fileId }: FoundFile) => started.push(fileId),
  }
  const store = { rememberDownload: async ({ fileId }: RememberedDownload) => remembered.push(fileId) }
  const parts = { folder, folders: new FolderPool(), isOver: () => false }
  const result = await switchOver(download as unknown as Download, found, {
    ...parts,
    store: store as unknown as UserStore,
  })
  return { result, started, remembered }
}

test('what is not named yet goes over to the new version, in the same part file', async () => {
  const { folder, record } = make()
  const { result, started, remembered } = await goOver(folder, record)
  expect(result).toEqual({ ...record, fileId: next, sizeBytes: 2, files: 1 })
  expect([started, remembered]).toEqual([[], [next]])
})

// The old version passed for the new one, and was shared as such.
test('a folder that has its name already is completed as what it is', async () => {
  const { folder, record, filled } = make()
  renameSync(filled, record.destination)
  const { result, started, remembered } = await goOver(folder, record)
  expect([result, started, remembered]).toEqual([undefined, [old], []])
})

test('a swap that a kill interrupted is ended before, and the old folder has its name again where that is gone', async () => {
  const { folder, record, filled } = make()
  const aside = `${record.destination}.replaced.part`
  mkdirSync(aside)
  const replaces = { id: idOf(lstatSync(aside)), tree: 'another' }
  const { result } = await goOver(folder, { ...record, replaces })
  expect(result?.fileId).toBe(next)
  expect([existsSync(aside), existsSync(filled), existsSync(record.destination)]).toEqual([false, true, true])
})
