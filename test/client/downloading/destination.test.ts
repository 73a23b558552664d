import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkRoom, placeFor } from '../../../src/client/downloading/destination.ts'
import { temporaryFolder } from '../temporary-folder.ts'

test('a folder means the folder and the name of the file', async () => {
  const folder = temporaryFolder()
  expect(await placeFor(folder, 'a.bin', false)).toEqual({ ok: true, value: join(folder, 'a.bin') })
  expect(await placeFor(`${folder}/`, 'a.bin', false)).toEqual({ ok: true, value: join(folder, 'a.bin') })
  expect(await placeFor(join(folder, 'b.bin'), 'a.bin', false)).toEqual({
    ok: true,
    value: join(folder, 'b.bin'),
  })
})

test('what cannot be a destination is refused before a byte is fetched', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'there'), 'mine')
  mkdirSync(join(folder, 'inner', 'a.bin'), { recursive: true })
  mkdirSync(join(folder, 'part.part'))
  symlinkSync(join(folder, 'nowhere'), join(folder, 'link'))
  const refused = async (destination: string, overwrite = false): Promise<string> => {
    const place = await placeFor(join(folder, destination), 'a.bin', overwrite)
    return place.ok ? 'accepted' : place.refusal.sentence.replaceAll(`${folder}/`, '')
  }
  expect(await refused('none/')).toBe('there is no folder none/')
  expect(await refused('none/b.bin')).toBe('there is no folder none')
  expect(await refused('there')).toBe('there exists; choose another name, or add --overwrite')
  expect(await refused('there', true)).toBe('accepted')
  expect(await refused('inner')).toBe('inner/a.bin is a folder')
  expect(await refused('link')).toBe('link is a link to nothing')
  expect(await refused('part', true)).toBe('part.part is in the way and is no regular file')
  expect(await refused('z'.repeat(251))).toMatch(/is too long for \.part to be added to it$/)
  expect(await refused('z'.repeat(250))).toBe('accepted')
})

test('what the disk has no room for is refused with both numbers', async () => {
  const path = join(temporaryFolder(), 'a.bin')
  expect(await checkRoom(path, 0)).toEqual({ ok: true, value: undefined })
  const room = await checkRoom(path, Number.MAX_SAFE_INTEGER)
  expect(room).toMatchObject({ ok: false, refusal: { code: 'local-file' } })
  expect(room.ok ? '' : room.refusal.sentence).toMatch(
    / has \d+ bytes free; the file needs 9007199254740991$/,
  )
})
