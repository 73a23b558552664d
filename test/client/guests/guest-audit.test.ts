// The audit of a client.

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { GuestAudit } from '../../../src/client/guests/guest-audit.ts'
import { temporaryFolder } from '../temporary-folder.ts'

const act = { what: 'link_made', who: 'ann', link: 1, group: 'g', name: 'f' }
const line = `{"time":"1970-01-01T00:00:00.000Z","what":"link_made","who":"ann","link":1,"group":"g","name":"f"}\n`

async function written(path: string): Promise<string> {
  const audit = await GuestAudit.open({ path, onTrouble: () => undefined, nowMs: () => 0 })
  audit.add(act)
  await audit.close()
  return readFileSync(path, 'utf8')
}

test('a line says when, what, whose and which link, and only its owner reads it', async () => {
  const path = join(temporaryFolder(), 'audit.jsonl')
  expect(await written(path)).toBe(line)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('it goes on behind its last line, without the rest of one that was cut off', async () => {
  const path = join(temporaryFolder(), 'audit.jsonl')
  await written(path)
  writeFileSync(path, `${line}{"time":"1970-01-01T00`)
  expect(await written(path)).toBe(line + line)
})

test.each([
  ['a text', 'something else\n'],
  ['the audit of a tracker', '{"position":1,"time":"1970-01-01T00:00:00.000Z","what":"create_group"}\n'],
])('%s is left as it is, and the start refused', async (_what, text) => {
  const path = join(temporaryFolder(), 'audit.jsonl')
  writeFileSync(path, text)
  await expect(written(path)).rejects.toThrow('it is not an audit of a client')
  expect(readFileSync(path, 'utf8')).toBe(text)
})
