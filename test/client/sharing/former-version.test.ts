import { expect, test } from 'vitest'
import { versionBefore } from '../../../src/client/sharing/former-version.ts'
import type { Registrar } from '../../../src/client/sharing/registrar.ts'
import type { ShareParts } from '../../../src/client/sharing/share-parts.ts'
import { accept, refuse, type Answer } from '../../../src/common/refusal.ts'

const file = { group: 'g', name: 'a.bin' }
const remembered = { ...file, fileId: 'old', sizeBytes: 5, path: '/here/a.bin' }

async function before(
  share: typeof remembered | undefined,
  isRegistered: boolean,
  found: Answer<{ fileId: string; sizeBytes: number }>,
): Promise<unknown> {
  const asked: string[] = []
  const link = {
    ask: (method: string) => {
      asked.push(method)
      return Promise.resolve(found)
    },
  }
  const parts = { store: { share: () => share }, link } as unknown as ShareParts
  const registrar = { isRegistered: () => isRegistered } as unknown as Registrar
  return { version: await versionBefore(file, parts, registrar), asked }
}

const newer = accept({ fileId: 'new', sizeBytes: 21 })

test('a new version replaces the one that is registered from here', async () => {
  const version = { fileId: 'old', sizeBytes: 5, path: '/here/a.bin' }
  expect(await before(remembered, true, newer)).toEqual({ version, asked: [] })
  const asked = ['find_file', 'forget_file']
  expect(await before(remembered, false, accept({ fileId: 'old', sizeBytes: 5 }))).toEqual({ version, asked })
})

// The one that was remembered here was named, though it had been replaced already.
test('or the one that another client of the user shared since', async () => {
  const version = { fileId: 'new', sizeBytes: 21, path: undefined }
  expect(await before(remembered, false, newer)).toMatchObject({ version })
})

test('or none, if there is none', async () => {
  expect(await before(undefined, false, newer)).toEqual({ version: undefined, asked: [] })
  const refused = refuse('no-such-file', 'there is no file a.bin in g')
  expect(await before(remembered, false, refused)).toMatchObject({ version: undefined })
})
