// Replies and events as JSON: each command of the table says in fields what its lines say, and docs/scripting.md names
// them.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { allCommands } from '../../../src/client/prompt/commands/program.ts'
import { exitCodes } from '../../../src/client/prompt/exit-codes.ts'
import { runPrompt } from '../../../src/client/prompt/prompt.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { download, fakeClient, type FakeClient } from './fake-operations.ts'
import { collector } from './script.ts'
import { Readable } from 'node:stream'

const scripting = readFileSync(new URL('../../../docs/scripting.md', import.meta.url), 'utf8')
/** Its chapter about JSON. */
const document = scripting.slice(scripting.indexOf('\n## JSON\n'))

type Said = Record<string, unknown>

async function said(lines: string[], client = fakeClient()): Promise<{ said: Said[]; exitCode: number }> {
  const { output, printed } = collector()
  const exitCode = await runPrompt({
    operations: client.operations,
    subscribe: client.subscribe,
    input: Readable.from([Buffer.from(`${lines.join('\n')}\n`)]),
    output,
    isTerminal: false,
    linger: false,
    script: { isJson: true },
  })
  const all = printed()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Said)
  return { said: all, exitCode }
}

/** A client whose listings have something in them. */
function busyClient(): FakeClient {
  const client = fakeClient()
  const users = async () => accept(['ann', 'ben'])
  Object.assign(client.answers, {
    whoami: () => 'ann',
    listGroups: async () => accept([{ group: 'g', owner: 'ann', members: 2, standing: 'owner' }]),
    listMembers: users,
    listRequests: users,
    listFiles: async () => accept([{ name: 'f', sizeBytes: 1, seeders: 2 }]),
    listSubscriptions: async () => accept([{ group: 'g', glob: '*', folder: '/f', fetched: 1, held: [] }]),
    listVersions: async () => accept([{ fileId: '0'.repeat(64), version: 1, sizeBytes: 1, atMs: 0, by: '' }]),
  })
  client.downloads.push(download({ name: 'f', state: 'complete' }))
  return client
}

/** A call of each command; the compiler cannot say which one is missing, so the test does. */
const calls: Record<string, string> = {
  create_user: 'create_user cem secret',
  login: 'login ann secret',
  logout: 'logout',
  change_password: 'change_password secret other',
  reset_password: 'reset_password ann 0123 other',
  delete_account: 'delete_account secret',
  whoami: 'whoami',
  create_group: 'create_group g --hidden',
  list_groups: 'list_groups',
  join_group: 'join_group g',
  leave_group: 'leave_group h',
  list_members: 'list_members g',
  list_requests: 'list_requests g',
  accept_request: 'accept_request g ben',
  reject_request: 'reject_request g ben',
  remove_member: 'remove_member g ben',
  upload_file: 'upload_file photo.jpg g',
  list_files: 'list_files g',
  list_versions: 'list_versions g f',
  download_file: 'download_file g f here',
  stop_share: 'stop_share h f',
  share_link: 'share_link g f --for 2h --times 2',
  list_links: 'list_links',
  revoke_link: 'revoke_link 3',
  subscribe: 'subscribe g * /f',
  unsubscribe: 'unsubscribe g *',
  list_subscriptions: 'list_subscriptions',
  show_downloads: 'show_downloads',
  pause_download: 'pause_download g f',
  resume_download: 'resume_download g f',
  cancel_download: 'cancel_download g f',
  prioritize: 'prioritize g f high',
  wait: 'wait --timeout 5m',
  limit: 'limit upload 4M',
  show_uploads: 'show_uploads',
  watch: 'watch g f',
  why: 'why g f',
  doctor: 'doctor',
  show_page: 'show_page',
  help: 'help whoami',
  events: 'events',
  clear: 'clear',
  quit: 'quit',
}

test('each command has a call in this test', () => {
  expect(Object.keys(calls)).toEqual(allCommands.map(({ name }) => name))
})

/** The fields of a reply in the document, in its last table: the one before has the lines of scripts. */
function documented(command: string): string[] {
  const rows = [...document.matchAll(new RegExp(`^\\| \`${command}\` \\| (.*) \\|$`, 'gm'))]
  const row = rows.at(-1)?.[1]?.trim() ?? 'no row'
  return row === '' ? [] : Array.from(row.matchAll(/`(\w+)`/g), ([, field]) => field as string)
}

/** In a script it goes on until it is stopped, and has no reply. */
const withoutReply = 'events'

test.each(Object.entries(calls).filter(([command]) => command !== withoutReply))(
  '%s says what docs/scripting.md says, and no more',
  async (command, line) => {
    const [reply] = (await said([line], busyClient())).said
    const { type, ok, command: name, ...fields } = reply ?? {}
    expect([type, ok, name]).toEqual(['reply', true, command])
    expect(Object.keys(fields)).toEqual(documented(command))
  },
)

test('a refusal has its code and its sentence, also where there is no such command', async () => {
  const client = fakeClient()
  client.answers.createGroup = async () => refuse('group-taken', 'there is already a group g')
  const { said: lines, exitCode } = await said(['create_group g', 'nonsense', '"'], client)
  expect(lines).toEqual([
    {
      type: 'reply',
      ok: false,
      command: 'create_group',
      code: 'group-taken',
      error: 'there is already a group g',
    },
    {
      type: 'reply',
      ok: false,
      command: 'nonsense',
      code: 'usage',
      error: 'unknown command "nonsense"; help lists the commands',
    },
    { type: 'reply', ok: false, code: 'usage', error: 'the quote " is not closed' },
  ])
  expect(exitCode).toBe(exitCodes.exists)
})

test('limit without words lists all, and one by the hour says its hours', async () => {
  const client = fakeClient()
  const hours = { fromMinute: 8 * 60, toMinute: 24 * 60 }
  client.answers.listLimits = async () => [
    { direction: 'download' },
    { direction: 'upload', bytesPerSecond: 1024, hours },
  ]
  expect((await said(['limit'], client)).said).toEqual([
    {
      type: 'reply',
      ok: true,
      command: 'limit',
      limits: [
        { direction: 'download', bytesPerSecond: null },
        { direction: 'upload', bytesPerSecond: 1024, from: '8:00', to: '24:00' },
      ],
    },
  ])
})

test('an event is an object of its own, behind the reply of the command that it came with', async () => {
  const client = fakeClient()
  client.answers.joinGroup = async () => {
    client.emit({ kind: 'request-decided', group: 'g', accepted: true })
    return accept(undefined)
  }
  expect((await said(['join_group g'], client)).said).toEqual([
    { type: 'reply', ok: true, command: 'join_group', group: 'g' },
    { type: 'event', event: 'request-decided', group: 'g', accepted: true },
  ])
})

test('names that would disturb a terminal are names', async () => {
  const client = fakeClient()
  const name = '\u001B[31mred\nline'
  client.answers.listFiles = async () => accept([{ name, sizeBytes: 1, seeders: 0 }])
  expect((await said(['list_files g'], client)).said).toMatchObject([{ files: [{ name }] }])
})

test('list_files of a folder has what is in it', async () => {
  const client = fakeClient()
  const files = [
    { path: 'a/run.sh', kind: 'executable', sizeBytes: 9, mtimeSeconds: 1 },
    { path: 'b', kind: 'folder' },
  ] as const
  client.answers.listFolder = async () => accept([...files])
  expect((await said(['list_files g trips/'], client)).said).toEqual([
    { type: 'reply', ok: true, command: 'list_files', group: 'g', files },
  ])
})
