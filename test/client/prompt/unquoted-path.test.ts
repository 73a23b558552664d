// A path with spaces that nobody put in quotes.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../temporary-folder.ts'
import { runScript } from './script.ts'

function photo(name: string): string {
  const path = join(temporaryFolder(), name)
  writeFileSync(path, '')
  return path
}

async function refused(line: string): Promise<string | undefined> {
  const { lines } = await runScript([line])
  return lines[0]
}

test('it is named, wherever the group stands, and where the group was forgotten', async () => {
  const path = photo('my last photo.jpg')
  const named = `error: "${path}" contains a space: put it in quotes`
  expect(await refused(`upload_file ${path} family`)).toBe(named)
  expect(await refused(`upload_file family ${path}`)).toBe(named)
  const two = photo('my photo.jpg')
  expect(await refused(`upload_file ${two}`)).toBe(`error: "${two}" contains a space: put it in quotes`)
})

test('too many words that name nothing are too many words, and a folder is named like a file', async () => {
  expect(await refused('upload_file /nowhere/my photo.jpg family')).toMatch(/^error: too many words/)
  const folder = join(temporaryFolder(), 'my photos')
  mkdirSync(folder)
  expect(await refused(`upload_file ${folder} family`)).toBe(
    `error: "${folder}" contains a space: put it in quotes`,
  )
})

test('a file whose name is the first word is taken as it is', async () => {
  const path = photo('my')
  writeFileSync(`${path} family`, '')
  expect(await refused(`upload_file ${path} family`)).toMatch(/^sharing /)
})
