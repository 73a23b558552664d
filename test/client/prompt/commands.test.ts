// Every command of the table: what it asks of the client, and its exact reply.

import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { LimitRule, Operations } from '../../../src/client/operations.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { download, fakeClient } from './fake-operations.ts'
import { exitCodes } from '../../../src/client/prompt/exit-codes.ts'
import { callOf } from '../../../src/client/prompt/call.ts'
import { allCommands } from '../../../src/client/prompt/commands/program.ts'
import { splitWords } from '../../../src/client/prompt/text/words.ts'
import { runScript } from './script.ts'

async function reply(line: string, answers: Partial<Operations> = {}) {
  const client = fakeClient()
  Object.assign(client.answers, answers)
  const { lines, exitCode } = await runScript([line], { client })
  const end = client.calls.lastIndexOf('downloadsSettled({"giveUpWithoutSeederMs":60000})')
  return { lines, exitCode, calls: client.calls.slice(0, end) }
}

describe('the reply to a command that succeeds', () => {
  test.each([
    ['create_user abc pw', 'createUser("abc", "pw", )', 'user abc created'],
    ['create_user abc --invite 0f pw', 'createUser("abc", "pw", "0f")', 'user abc created'],
    ['reset_password abc 0f pw', 'resetPassword("abc", "0f", "pw")', 'password of abc changed'],
    ['login abc pw', 'login("abc", "pw", false)', 'logged in as abc'],
    ['logout', 'logout()', 'logged out'],
    ['create_group g1', 'createGroup("g1", false)', 'group g1 created'],
    ['create_group g1 --hidden', 'createGroup("g1", true)', 'hidden group g1 created'],
    ['list_groups', 'listGroups()', 'no groups yet'],
    ['join_group g1', 'joinGroup("g1")', 'join request sent to the owner of g1'],
    ['list_requests g1', 'listRequests("g1")', 'no pending requests for g1'],
    ['requests list_requests g1', 'listRequests("g1")', 'no pending requests for g1'],
    ['accept_request g1 def', 'acceptRequest("g1", "def")', 'def is now a member of g1'],
    ['reject_request g1 def', 'rejectRequest("g1", "def")', 'request of def for g1 rejected'],
    ['leave_group g1', 'leaveGroup("g1")', 'left g1'],
    ['remove_member g1 def', 'removeMember("g1", "def")', 'def is no longer a member of g1'],
    ['upload_file 1.png g1', 'uploadFile("1.png", "g1")', 'sharing 1.png in g1 (524289 bytes, 2 pieces)'],
    [
      'upload_file 1.png g1 --skip-special',
      'uploadFile("1.png", "g1", {"skipSpecial":true})',
      'sharing 1.png in g1 (524289 bytes, 2 pieces)',
    ],
    ['list_files g1', 'listFiles("g1")', 'no files in g1'],
    ['list_files g1 --details', 'listFiles("g1", {"details":true})', 'no files in g1'],
    ['show_downloads', undefined, 'no downloads'],
    ['pause_download g1 1.png', 'pauseDownload("g1", "1.png")', 'paused 1.png from g1'],
    ['resume_download g1 1.png', 'resumeDownload("g1", "1.png")', 'resumed 1.png from g1'],
    ['cancel_download g1 1.png', 'cancelDownload("g1", "1.png")', 'cancelled 1.png from g1'],
    ['prioritize g1 1.png high', 'prioritize("g1", "1.png", "high")', '1.png from g1 has high priority'],
    ['prioritize g1 1.png', 'prioritize("g1", "1.png", )', '1.png from g1 has normal priority'],
    ['stop_share g1 1.png', 'stopShare("g1", "1.png")', 'stopped sharing 1.png in g1'],
    ['whoami', undefined, 'nobody is logged in'],
    [
      'limit upload 4M',
      'setLimit({"direction":"upload","bytesPerSecond":4194304})',
      'upload limited to 4M bytes a second',
    ],
    ['limit download none', 'setLimit({"direction":"download"})', 'download is not limited'],
    [
      'limit upload 2M --from 8:00 --to 18',
      'setLimit({"direction":"upload","bytesPerSecond":2097152,"hours":{"fromMinute":480,"toMinute":1080}})',
      'upload limited to 2M bytes a second from 8:00 to 18:00',
    ],
    [
      'limit download 1M g "a b"',
      'setLimit({"direction":"download","bytesPerSecond":1048576,"entry":{"group":"g","name":"a b"}})',
      'download of a b from g limited to 1M bytes a second',
    ],
    [
      'limit upload 1M g "a b"',
      'setLimit({"direction":"upload","bytesPerSecond":1048576,"entry":{"group":"g","name":"a b"}})',
      'upload of a b from g limited to 1M bytes a second',
    ],
    [
      'limit download none --from 22:30 --to 6:05',
      'setLimit({"direction":"download","hours":{"fromMinute":1350,"toMinute":365}})',
      'download is not limited from 22:30 to 6:05',
    ],
  ])('%s', async (line, call, text) => {
    expect(await reply(line)).toEqual({
      lines: [text],
      exitCode: 0,
      calls: call === undefined ? [] : [call],
    })
  })

  test('a plain limit says that it waits while another holds by the hour', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date(2026, 0, 1, 9, 30) })
    onTestFinished(() => void vi.useRealTimers())
    const timed = { direction: 'upload', bytesPerSecond: 524_288, hours: { fromMinute: 480, toMinute: 1080 } }
    const listLimits = async () => [
      timed as LimitRule,
      { direction: 'upload', bytesPerSecond: 1 } as LimitRule,
    ]
    expect((await reply('limit upload 2M', { listLimits })).lines).toEqual([
      'upload limited to 2M bytes a second',
      'it begins at 18:00; until then: upload limited to 512K bytes a second from 8:00 to 18:00',
    ])
    expect((await reply('limit download 2M', { listLimits })).lines).toHaveLength(1)
    vi.setSystemTime(new Date(2026, 0, 1, 18, 0))
    expect((await reply('limit upload 2M', { listLimits })).lines).toHaveLength(1)
  })

  test.each([
    ['change_password pw better', 'changePassword("pw", "better")', 'password of abc changed'],
    ['delete_account pw', 'deleteAccount("pw")', 'account abc deleted'],
  ])('%s, by who is logged in', async (line, call, text) => {
    expect(await reply(line, { whoami: () => 'abc' })).toEqual({ lines: [text], exitCode: 0, calls: [call] })
    const refused = { lines: ['error: log in first'], exitCode: exitCodes.login, calls: [] }
    expect(await reply(line)).toEqual(refused)
  })

  test.each([
    ['login abc', 'you are logged in as abc', 0, []],
    ['login abc --remember', 'you are logged in as abc', 0, ['login("abc", "", true)']],
    ['login def', 'error: abc is logged in here; log out first: logout', exitCodes.login, []],
    [
      'create_user abc',
      'error: you are logged in as abc; this account is already yours',
      exitCodes.exists,
      [],
    ],
    ['create_user def pw', 'user def created', 0, ['createUser("def", "pw", )']],
  ])('%s while abc is logged in, without a question for a password', async (line, text, exitCode, calls) => {
    expect(await reply(line, { whoami: () => 'abc' })).toEqual({ lines: [text], exitCode, calls })
  })

  test('download_file says where the file goes, and that it waits where nobody has it', async () => {
    const at = async (waiting: boolean) =>
      reply('download_file g1 1.png ..', {
        downloadFile: async () => accept({ destination: '/home/def/1.png', waiting }),
      })
    expect(await at(false)).toEqual({
      lines: ['downloading 1.png from g1 to /home/def/1.png'],
      exitCode: 0,
      calls: ['downloadFile("g1", "1.png", "..", {"overwrite":false})'],
    })
    expect((await at(true)).lines).toEqual([
      'downloading 1.png from g1 to /home/def/1.png',
      'nobody who has 1.png is online; the download begins as soon as somebody is',
    ])
  })

  test('whoami names the user, after a login', async () => {
    expect((await runScript(['login abc pw', 'whoami'])).lines[1]).toBe('abc')
  })

  test('list_groups says owner, members and standing', async () => {
    const groups = [
      { group: 'g1', owner: 'abc', members: 2, standing: 'member' as const },
      { group: 'group2', owner: 'me', members: 1, standing: 'owner' as const },
      { group: 'g3', owner: 'abc', members: 1, standing: 'requested' as const },
      { group: 'g4', owner: 'abc', members: 1, standing: 'none' as const },
    ]
    expect((await reply('list_groups', { listGroups: async () => accept(groups) })).lines).toEqual([
      'g1  owner abc  2 members  you are a member',
      'group2  owner me  1 member  you are the owner',
      'g3  owner abc  1 member  you have asked to join',
      'g4  owner abc  1 member  you are not a member',
    ])
  })

  test('list_files says sizes and seeders', async () => {
    const files = [
      { name: '1.png', sizeBytes: 4096, seeders: 2 },
      { name: 'a longer name.png', sizeBytes: 0, seeders: 0 },
    ]
    expect((await reply('list_files g1', { listFiles: async () => accept(files) })).lines).toEqual([
      '1.png  4096 bytes  2 seeders',
      'a longer name.png  0 bytes  0 seeders',
    ])
  })

  test.each([
    ['accept_request', 'acceptRequest'],
    ['reject_request', 'rejectRequest'],
    ['remove_member', 'removeMember'],
  ] as const)('%s with its words swapped says how it was meant', async (command, operation) => {
    const noGroup = async () => refuse('no-such-group', 'there is no group ben')
    const groups = [{ group: 'my-family', owner: 'abc', members: 2, standing: 'owner' as const }]
    const answers = { [operation]: noGroup, listGroups: async () => accept(groups) }
    const said = async (line: string): Promise<readonly string[]> => (await reply(line, answers)).lines
    expect(await said(`${command} ben my-family`)).toEqual([
      `error: there is no group ben; did you mean ${command} my-family ben?`,
    ])
    expect(await said(`${command} ben other`)).toEqual(['error: there is no group ben'])
  })

  test('list_requests and list_members give a user a line', async () => {
    const users = async () => accept(['abc', 'def'])
    expect((await reply('list_requests g1', { listRequests: users })).lines).toEqual(['abc', 'def'])
    expect((await reply('list_members g1', { listMembers: users })).lines).toEqual(['abc', 'def'])
  })

  test('show_downloads gives a line a download, and the reason only where it stopped', async () => {
    const client = fakeClient()
    client.downloads.push(
      download({ name: 'a.png', state: 'running', why: 'nobody online has it' }),
      download({ name: 'b b.png', state: 'complete' }),
      download({ name: 'c.png', state: 'paused' }),
      download({ name: 'd.png', state: 'failed', why: 'the disk is full' }),
    )
    expect((await runScript(['show_downloads'], { client })).lines).toEqual([
      '[D] [g1] a.png',
      '[C] [g1] b b.png',
      '[P] [g1] c.png',
      '[F] [g1] d.png - the disk is full',
    ])
  })

  test('show_downloads --details adds progress, who sent how much, and what a running one waits for', async () => {
    const client = fakeClient()
    const piecesByPeer = [
      ['abc@127.0.0.1:4444', 1, 'direct'],
      ['def@[::1]:5', 2, 'called-back'],
    ] as const
    client.downloads.push(
      download({ name: 'a.png', state: 'running', piecesDone: 3, pieceCount: 9, piecesByPeer }),
      download({
        name: 'b.png',
        state: 'running',
        why: 'waiting for a seeder',
        bytesPerSecond: 0,
        piecesDone: 0,
        piecesByPeer: [],
      }),
      download({ name: 'c.png', state: 'failed', why: 'the disk is full' }),
      download({ name: 'd.png', state: 'running', priority: 'low' }),
    )
    expect((await runScript(['show_downloads --details'], { client })).lines).toEqual([
      '[D] [g1] a.png',
      '    3 of 9 pieces, 3.0 MiB/s; 1 from abc@127.0.0.1:4444, 2 from def@[::1]:5 (called back)',
      '[D] [g1] b.png',
      '    0 of 2 pieces, 0 KiB/s, waiting for a seeder',
      // Why one stopped stands behind its own line, and not twice.
      '[F] [g1] c.png - the disk is full',
      '    1 of 2 pieces; 1 from abc@127.0.0.1:4444',
      '[D] [g1] d.png',
      '    1 of 2 pieces, 3.0 MiB/s, low priority; 1 from abc@127.0.0.1:4444',
    ])
  })

  test('help lists every command, and explains one', async () => {
    const { lines } = await reply('help')
    for (const command of [
      'create_user <user> [password]',
      'limit [upload|download] [rate] [group] [name]',
      'quit',
    ])
      expect(lines.some((line) => line.trim().startsWith(command))).toBe(true)
    expect((await reply('help download_file')).lines.slice(4)).toEqual([
      'download_file <group> <name> <destination> [--overwrite] [--adopt] [--from <path>]',
      '  fetch a file, a folder or a part of one into a folder, or to a path you name',
      '  --overwrite  replace the file that is at the destination, or a folder that is an earlier version',
      '  --adopt  share what is there, if it is the same; fetch nothing',
      '  --from <path>  take what a file or folder here has of it, and fetch the rest',
    ])
    expect((await reply('help exit')).lines.at(-1)).toBe('  also: exit')
  })
})

describe('the reply to a command that is refused', () => {
  test('a refusal of the client is one line', async () => {
    const createGroup = async () => refuse('group-taken', 'there is a group g1 already')
    expect(await reply('create_group g1', { createGroup })).toMatchObject({
      lines: ['error: there is a group g1 already'],
      exitCode: exitCodes.exists,
    })
  })

  test.each([
    ['create_group', 'create_group needs a group: create_group <group>'],
    ['accept_request g1', 'accept_request needs a user: accept_request <group> <user>'],
    [
      'download_file g1 1.png',
      'download_file needs a destination: download_file <group> <name> <destination>',
    ],
    ['limit upload', 'limit needs a rate: limit <upload|download> <rate>'],
    [
      'create_user abc --invite',
      'a word is missing after --invite: create_user <user> [password] --invite <code>',
    ],
    ['create_group my group', 'too many words: create_group <group>; put a name with spaces in quotes'],
    ['logout now', 'logout takes no words after it'],
    ['create_grup g1', 'unknown command "create_grup"; did you mean create_group?'],
    ['xyzzy', 'unknown command "xyzzy"; help lists the commands'],
    ['CREATE_GROUP g1', 'unknown command "CREATE_GROUP"; did you mean create_group?'],
    ['upload x g1', 'unknown command "upload"; did you mean upload_file?'],
    ['join', 'unknown command "join"; did you mean join_group?'],
    ['status', 'unknown command "status"; did you mean show_downloads or whoami?'],
    ['ls', 'unknown command "ls"; did you mean list_files or list_groups?'],
    [
      'groups',
      'unknown command "groups"; did you mean create_group, list_groups, join_group or leave_group?',
    ],
    ['-x', 'unknown command "-x"; help lists the commands'],
    ['--help', 'unknown command "--help"; help lists the commands'],
    ['-- create_group g1', 'unknown command "--"; help lists the commands'],
    ['""', 'unknown command ""; help lists the commands'],
    ['toString', 'unknown command "toString"; help lists the commands'],
    ['requests', 'unknown command "requests"; did you mean list_requests, accept_request or reject_request?'],
    ['help me', 'there is no command "me"; help lists the commands'],
    ['upload_file "1.png g1', 'the quote " is not closed'],
    ['limit sideways 4M', '"sideways" is neither upload nor download: limit <upload|download> <rate>'],
    [
      'limit upload 1M --from 8:00',
      '--from and --to go together: limit <upload|download> <rate> --from 8:00 --to 18:00',
    ],
    ['limit upload 1M --from 8:60 --to 9', '"8:60" is not a time of the day like 8:00'],
    ['limit upload 1M --from 0:00 --to 24:01', '"24:01" is not a time of the day like 8:00'],
    ['limit upload 1M --from 0:00 --to 24:00', '--from and --to are the same; leave both out for all day'],
    ['limit download 1M g', 'a name is missing: limit <upload|download> <rate> <group> <name>'],
    ['limit download 1M g f --from 8 --to 9', 'a limit of one file has no hours; leave out --from and --to'],
    ['limit upload fast', '"fast" is not a rate like 512K, 4M or none'],
    ['prioritize g f urgent', '"urgent" is not a priority; write high, normal or low'],
    [
      'login abc',
      'login needs a password: login <user> <password>, or start the client with --password-file <file>',
    ],
  ])('%s', async (line, sentence) => {
    const exitCode = exitCodes.usage
    expect(await reply(line)).toEqual({ lines: [`error: ${sentence}`], exitCode, calls: [] })
  })
})

describe('help', () => {
  test.each(['help exit', '? exit', 'exit --help', 'quit --help'])('%s explains a command', async (line) => {
    expect(await reply(line)).toEqual({
      lines: ['quit', '  stop at once; downloads resume at the next login', '  also: exit'],
      exitCode: 0,
      calls: [],
    })
  })

  test.each(['help', '?'])('%s begins with examples', async (line) => {
    const { lines } = await reply(line)
    expect(lines.slice(0, 2)).toEqual(['For example', '  create_user ann'])
    expect(lines).toContainEqual(expect.stringMatching(/^  whoami +say who is logged in$/))
  })

  test('every example can be typed', () => {
    for (const { name, examples = [] } of allCommands)
      for (const example of examples) {
        const words = splitWords(example)
        const call = words.ok ? callOf(words.value) : words
        const called = example.endsWith('--help') ? 'help' : name
        expect([example, call.ok && call.value.command.name]).toEqual([example, called])
      }
  })
})

test('a line has nothing of the lines before it, whether they were understood or not', () => {
  const flagsOf = (...words: string[]): unknown => {
    const call = callOf(words)
    return call.ok
      ? [...call.value.flags, ...call.value.words.filter((word) => typeof word === 'string')]
      : 'no'
  }
  expect(flagsOf('list_files', 'g1', 'a/', '--details')).toEqual([['--details', 'true'], 'g1', 'a/'])
  expect(flagsOf('list_files', 'g1')).toEqual(['g1'])
  expect(flagsOf('wait', 'g1', '--timeout', '5m')).toEqual([['--timeout', '5m'], 'g1'])
  expect([flagsOf('list_files', '--details'), flagsOf('wait', '--timeout')]).toEqual(['no', 'no'])
  expect([flagsOf('wait'), flagsOf('list_files', 'g2')]).toEqual([[], ['g2']])
})

describe('a file name may begin with a dash', () => {
  test.each([
    ['upload_file -x.png g1', 'uploadFile("-x.png", "g1")'],
    ['upload_file -- -x.png g1', 'uploadFile("-x.png", "g1")'],
    ['upload_file -h g1', 'uploadFile("-h", "g1")'],
    ['upload_file --help g1', 'uploadFile("--help", "g1")'],
    ['upload_file g1 --version', 'uploadFile("g1", "--version")'],
    ['upload_file - g1', 'uploadFile("-", "g1")'],
    ['upload_file --overwrite g1', 'uploadFile("--overwrite", "g1")'],
    ['upload_file -- -- g1', 'uploadFile("--", "g1")'],
    ['stop_share g1 "-a b"', 'stopShare("g1", "-a b")'],
    ['download_file g1 -x.png -y', 'downloadFile("g1", "-x.png", "-y", {"overwrite":false})'],
    ['download_file g1 x y --overwrite', 'downloadFile("g1", "x", "y", {"overwrite":true})'],
    [
      'download_file g1 x y --adopt --from /a',
      'downloadFile("g1", "x", "y", {"overwrite":false,"adopt":true,"from":"/a"})',
    ],
    ['download_file --overwrite g1 -x y', 'downloadFile("g1", "-x", "y", {"overwrite":true})'],
    ['download_file g1 -- --overwrite y', 'downloadFile("g1", "--overwrite", "y", {"overwrite":false})'],
    ['download_file g1 --overwrite -- -x -y', 'downloadFile("g1", "-x", "-y", {"overwrite":true})'],
    ['login abc -pw', 'login("abc", "-pw", false)'],
  ])('%s', async (line, call) => {
    const { calls, exitCode } = await reply(line)
    expect({ calls, exitCode }).toEqual({ calls: [call], exitCode: 0 })
  })

  test('one call leaves no flag behind for the next', async () => {
    const client = fakeClient()
    await runScript(['download_file g1 x y --overwrite', 'download_file g1 x y'], { client })
    expect(client.calls[1]).toBe('downloadFile("g1", "x", "y", {"overwrite":false})')
  })
})
