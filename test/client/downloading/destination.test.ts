import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkRoom, claimPlace, placeFor } from '../../../src/client/downloading/destination.ts'
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
  symlinkSync(join(folder, 'nowhere'), join(folder, 'link'))
  symlinkSync(join(folder, 'there'), join(folder, 'link to a file'))
  spawnSync('mkfifo', [join(folder, 'pipe')])
  const refused = async (destination: string, overwrite = false): Promise<string> => {
    const place = await placeFor(join(folder, destination), 'a.bin', overwrite)
    return place.ok ? 'accepted' : place.refusal.sentence.replaceAll(`${folder}/`, '')
  }
  expect(await refused('none/')).toBe('there is no folder none/')
  expect(await refused('none/b.bin')).toBe('there is no folder none')
  expect(await refused('there')).toBe('there exists; choose another name, or add --overwrite')
  expect(await refused('there', true)).toBe('accepted')
  expect(await refused('inner')).toBe('inner/a.bin is a folder; choose another name')
  expect(await refused('link')).toBe('link is a link that leads nowhere; choose another name')
  expect(await refused('link', true)).toBe('link is a link that leads nowhere; choose another name')
  // The advice to add --overwrite was followed by another refusal.
  expect(await refused('link to a file')).toMatch(/^link to a file is a link; name the file/)
  expect(await refused('pipe')).toBe('pipe is not a regular file; choose another name')
  expect(await refused('there/b.bin')).toBe('there is a file, not a folder')
  // A link and a pipe were replaced by the file.
  expect(await refused('link to a file', true)).toMatch(/^link to a file is a link; name the file/)
  expect(await refused('pipe', true)).toBe('pipe is not a regular file; choose another name')
  expect(await refused('z'.repeat(256))).toMatch(/is longer than 255 bytes$/)
  expect(await refused('z'.repeat(255))).toBe('accepted')
})

test('a part file that is there is in the way, whatever it is', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'a.part'))
  writeFileSync(join(folder, 'b.part'), 'complete, and somebody else’s')
  for (const name of ['a', 'b']) {
    expect(await claimPlace(join(folder, name))).toMatchObject({
      refusal: { sentence: `${name}.part exists already; remove it, or choose another name` },
    })
  }
  expect(readFileSync(join(folder, 'b.part'), 'utf8')).toBe('complete, and somebody else’s')
  expect(await claimPlace(join(folder, 'none', 'c'))).toMatchObject({ ok: false })
})

test('what the disk has no room for is refused with both numbers', async () => {
  const path = join(temporaryFolder(), 'a.bin')
  expect(await checkRoom(path, 0)).toEqual({ ok: true, value: undefined })
  const room = await checkRoom(path, Number.MAX_SAFE_INTEGER)
  expect(room).toMatchObject({ ok: false, refusal: { code: 'local-file' } })
  expect(room.ok ? '' : room.refusal.sentence).toMatch(
    / has [\d.]+ [MGT]iB free, and the file needs 8192\.0 TiB; free some space$/,
  )
})
