import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../temporary-folder.ts'
import { oneLibrary } from './one-library.ts'
import { manifestOf, sampleBytes } from './sample-file.ts'

test('a file whose hashing outlasts the login is not shared', async () => {
  const path = join(temporaryFolder(), 'f.bin')
  const bytes = sampleBytes(100)
  writeFileSync(path, bytes)
  const { library, sources, store } = await oneLibrary()
  const uploading = library.upload(path, 'g')
  await library.close()
  expect(await uploading).toMatchObject({ ok: false, refusal: { code: 'cancelled' } })
  expect(store.shares()).toEqual([])
  expect(sources.find('g', manifestOf(bytes).fileId)).toBeUndefined()
})
