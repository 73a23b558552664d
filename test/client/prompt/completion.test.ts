// What a Tab completes, from what was heard of so far and from the folders here.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { complete } from '../../../src/client/prompt/completion.ts'
import { KnownNames } from '../../../src/client/prompt/known-names.ts'
import { candidatesMax } from '../../../src/common/terminal/completion.ts'
import { accept } from '../../../src/common/refusal.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import { download, fakeClient, type FakeClient } from './fake-operations.ts'

function busyClient(): FakeClient {
  const client = fakeClient()
  Object.assign(client.answers, {
    whoami: () => 'ann',
    listGroups: async () =>
      accept([
        { group: 'family', owner: 'ann', members: 2, standing: 'owner' },
        { group: 'strangers', owner: 'eve', members: 1, standing: 'none' },
      ]),
    listMembers: async () => accept(['ann', 'carl']),
    listRequests: async () => accept(['ben']),
    listFiles: async () =>
      accept(
        ['my photo.jpg', 'plain.txt', '\u001B[31mred', 'trips'].map((name) => {
          return { name, sizeBytes: 1, seeders: 1, ...(name === 'trips' && { files: 3 }) }
        }),
      ),
  })
  client.downloads.push(download({ group: 'family', name: 'slow.iso', state: 'running' }))
  client.downloads.push(download({ group: 'family', name: 'late.iso', state: 'paused' }))
  return client
}

async function knownNames(client = busyClient()): Promise<KnownNames> {
  const known = new KnownNames(client.operations)
  await known.refresh([])
  await known.refresh(['list_files', 'family'])
  return known
}

test.each([
  ['create_', ['create_user ', 'create_group '], 'create_'],
  ['  who', ['whoami '], 'who'],
  ['help ex', ['exit '], 'ex'],
  ['nonsense fa', [], 'fa'],
  ['list_files fa', ['family '], 'fa'],
  ['join_group ', ['strangers '], ''],
  ['accept_request family ', ['ben '], ''],
  ['remove_member family c', ['carl '], 'c'],
  ['download_file family my', ["'my photo.jpg' "], 'my'],
  ['download_file family "my ph', ["'my photo.jpg' "], '"my ph'],
  ['download_file family \\my\\ ph', ["'my photo.jpg' "], '\\my\\ ph'],
  // A name that would disturb the terminal is left out.
  ['stop_share family ', ["'my photo.jpg' ", 'plain.txt ', 'trips '], ''],
  ['list_files family ', ['trips/ '], ''],
  ['pause_download family ', ['slow.iso '], ''],
  ['resume_download family ', ['late.iso '], ''],
  ['cancel_download family s', ['slow.iso '], 's'],
  ['prioritize family slow.iso ', ['high ', 'normal ', 'low '], ''],
  ['download_file --over', ['--overwrite '], '--over'],
  ['download_file --overwrite fam', ['family '], 'fam'],
  ['wait family ', ['slow.iso '], ''],
  ['limit download 1M family l', ['late.iso '], 'l'],
  ['limit upload 1M family pl', ['plain.txt '], 'pl'],
  ['limit up', ['upload '], 'up'],
  ['login an', [], 'an'],
])('%j is completed', async (line, candidates, typed) => {
  expect(complete(line, await knownNames())).toMatchObject({ candidates, typed })
})

test('a path is completed by what is in its folder, quoted where it has to be', async () => {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'sub folder'))
  writeFileSync(join(folder, 'my photo.jpg'), '')
  writeFileSync(join(folder, 'plain.txt'), '')
  writeFileSync(join(folder, '.hidden'), '')
  const known = await knownNames()
  const candidates = (typed: string) => complete(`upload_file ${typed}`, known).candidates.toSorted()
  expect(candidates(`${folder}/p`)).toEqual([`${folder}/plain.txt `])
  expect(candidates(`'${folder}/my`)).toEqual([`'${folder}/my photo.jpg' `])
  // A folder stays open, so that the next Tab goes on in it.
  expect(candidates(`${folder}/s`)).toEqual([`'${folder}/sub folder/`])
  expect(candidates(`${folder}/`)).toHaveLength(3)
  expect(candidates(`${folder}/.h`)).toEqual([`${folder}/.hidden `])
  expect(candidates(`${folder}/none/x`)).toEqual([])
})

test('a key that is held down asks once in a while, and nobody is asked before a login', async () => {
  const client = busyClient()
  let nowMs = 0
  const known = new KnownNames(client.operations, () => nowMs)
  for (let presses = 0; presses < 10; presses++) await known.refresh(['list_files', 'family'])
  expect(client.calls.filter((call) => call === 'listGroups()')).toHaveLength(1)
  expect(client.calls.filter((call) => call === 'listFiles("family")')).toHaveLength(1)
  nowMs = 10_000
  await known.refresh([])
  expect(client.calls.filter((call) => call === 'listGroups()')).toHaveLength(2)
  client.answers.whoami = () => undefined
  client.calls.length = 0
  nowMs = 20_000
  await known.refresh([])
  expect(client.calls).toEqual([])
})

test('who asks to join is known at once, and another user starts with nothing', async () => {
  const known = await knownNames()
  known.onEvent({ kind: 'join-requested', group: 'family', user: 'dora' })
  expect(complete('reject_request family ', known).candidates).toEqual(['ben ', 'dora '])
  known.onEvent({ kind: 'user-changed', user: 'eve' })
  expect(complete('list_files ', known).candidates).toEqual([])
})

test('of ten thousand names only the first few are offered, and put in is what all begin with', async () => {
  const client = busyClient()
  const files = Array.from({ length: 10_000 }, (_, index) => ({
    name: `f ${String(index).padStart(4, '0')}`,
    sizeBytes: 1,
    seeders: 1,
  }))
  client.answers.listFiles = async () => accept(files)
  const known = await knownNames(client)
  const all = complete('download_file family f', known)
  expect(all.candidates).toHaveLength(candidatesMax)
  expect(all.beginning).toBe("'f ")
  expect(complete("download_file family 'f 99", known)).toMatchObject({ beginning: "'f 99" })
  expect(complete("download_file family 'f 9999", known)).toEqual({
    typed: "'f 9999",
    candidates: ["'f 9999' "],
    beginning: "'f 9999' ",
  })
})
