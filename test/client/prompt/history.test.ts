// What the prompt remembers of what was typed.

import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { allCommands } from '../../../src/client/prompt/commands/program.ts'
import { History, historyLinesMax } from '../../../src/common/terminal/history.ts'
import { rememberable } from '../../../src/client/prompt/rememberable.ts'
import { temporaryFolder } from '../temporary-folder.ts'

test.each([
  ['login ann secret', 'login ann'],
  ['login "ann"   secret', 'login ann'],
  ['login ann', 'login ann'],
  ['create_user ann secret', 'create_user ann'],
  ['create_user ann --invite 0f secret', 'create_user ann'],
  ['change_password old new', 'change_password'],
  ['reset_password ann 0f secret', 'reset_password ann'],
  ['delete_account secret', 'delete_account'],
  ['  list_files g ', 'list_files g'],
  ['upload_file "my photo.jpg" g', 'upload_file "my photo.jpg" g'],
  // Mistyped: whatever stands behind it may be a password.
  ['logn ann secret', 'logn'],
  ['nonsense', 'nonsense'],
  ['login ann "secret', undefined],
])('of %j it remembers %j', (line, kept) => {
  expect(rememberable(line)).toBe(kept)
})

test('every command with a password in its words says where it begins', () => {
  for (const { name, words, secretsFrom } of allCommands) {
    const at = words.split(' ').findIndex((word) => /password|old|new|code/.test(word))
    expect([name, secretsFrom]).toEqual([name, at === -1 ? undefined : at])
  }
})

test('a later run goes on where an earlier one was, also beside another terminal', () => {
  const path = join(temporaryFolder(), 'history')
  const [one, other] = [new History(rememberable, path), new History(rememberable, path)]
  one.add('whoami')
  other.add('login ann secret')
  one.add('list_groups')
  one.add('list_groups')
  expect(new History(rememberable, path).newestFirst).toEqual(['list_groups', 'login ann', 'whoami'])
  expect(readFileSync(path, 'utf8')).not.toContain('secret')
})

test('nobody else can read the file, however it was made', () => {
  const path = join(temporaryFolder(), 'history')
  new History(rememberable, path).add('whoami')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  chmodSync(path, 0o644)
  expect(new History(rememberable, path).newestFirst).toEqual(['whoami'])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('it does not grow without end', () => {
  const path = join(temporaryFolder(), 'history')
  const all = Array.from({ length: 2 * historyLinesMax + 1 }, (_, index) => `list_files g${index}`)
  writeFileSync(path, all.map((line) => `${line}\n`).join(''))
  expect(new History(rememberable, path).newestFirst).toEqual(all.slice(-historyLinesMax).toReversed())
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(historyLinesMax + 1)
})

test('where nothing can be written, this run remembers', () => {
  const history = new History(rememberable, join(temporaryFolder(), 'no-such-folder', 'history'))
  history.add('whoami')
  expect(history.newestFirst).toEqual(['whoami'])
})
