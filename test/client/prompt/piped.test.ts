// The prompt of a script: its order, its ends and its exit codes.

import { PassThrough, Readable, Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { eventLine } from '../../../src/client/prompt/commands/replies.ts'
import { exitCodes } from '../../../src/client/prompt/exit-codes.ts'
import { runPrompt } from '../../../src/client/prompt/prompt.ts'
import { Failure } from '../../../src/common/failure.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { download, fakeClient } from './fake-operations.ts'
import { collector, runScript } from './script.ts'

/** A promise, and what resolves it. */
function gate() {
  let open = (): void => {}
  const passed = new Promise<void>((resolve) => (open = resolve))
  return { passed, open }
}

/** Lets everything go on that waits for nothing but its turn. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

const finish = { kind: 'download-complete', group: 'g1', name: '1.png', sizeBytes: 1, seconds: 12 } as const

test('a person is told the size of a complete download, and its time where that is long', () => {
  const complete = { ...finish, sizeBytes: 3 * 1024 * 1024 }
  expect(eventLine({ ...complete, seconds: 9 }, true)?.text).toBe('[C] [g1] 1.png  3.0 MiB')
  expect(eventLine({ ...complete, seconds: 72 }, true)?.text).toBe('[C] [g1] 1.png  3.0 MiB in 1 min 12 s')
  expect(eventLine({ ...complete, seconds: 72 }, false)?.text).toBe('[C] [g1] 1.png')
})

describe('the order of a script', () => {
  test('each command runs to its end before the next one begins', async () => {
    const client = fakeClient()
    const { passed, open } = gate()
    client.answers.createGroup = async () => {
      await passed
      return accept(undefined)
    }
    const { output, printed } = collector()
    const input = new PassThrough()
    const running = runPrompt({ ...client, input, output, isTerminal: false, linger: false })
    input.write('create_group g1\nwhoami\n')
    input.end('list_groups\n')
    await turns()
    expect(client.calls).toEqual(['createGroup("g1", false)'])
    open()
    expect(await running).toBe(0)
    expect(printed()).toBe('group g1 created\nnobody is logged in\nno groups yet\n')
  })

  test('uploads that follow each other run at once, reply in their order, and what follows waits for them', async () => {
    const client = fakeClient()
    const { passed, open } = gate()
    client.answers.uploadFile = async (path) => {
      if (path === '/a') await passed
      return refuse('local-file', `there is no file ${path}`)
    }
    const { output, printed } = collector()
    const input = Readable.from(['upload_file /a g\nupload_file /b g\nupload_file /c/a g\nwhoami\n'])
    const running = runPrompt({ ...client, input, output, isTerminal: false, linger: false })
    await turns()
    // The third has the name of the first, and would take its place.
    expect(client.calls).toEqual(['uploadFile("/a", "g")', 'uploadFile("/b", "g")'])
    expect(printed()).toBe('')
    open()
    await running
    expect(printed().split('\n')).toEqual([
      'error: there is no file /a',
      'error: there is no file /b',
      'error: there is no file /c/a',
      'nobody is logged in',
      '',
    ])
  })

  test('after an upload that failed none begins, where that stops the script; what had begun replies', async () => {
    const client = fakeClient()
    client.answers.uploadFile = async (path) => refuse('local-file', `there is no file ${path}`)
    const { output, printed } = collector()
    const input = Readable.from(
      Array.from({ length: 100 }, (_, index) => `upload_file /${index} g\n`).concat('whoami\n'),
    )
    const script = { stopsAtError: true }
    await runPrompt({ ...client, input, output, isTerminal: false, linger: false, script })
    const replies = printed().trimEnd().split('\n')
    expect(replies).toEqual(replies.map((_, index) => `error: there is no file /${index}`))
    expect(replies.length).toBeLessThan(50)
    expect(client.calls).toHaveLength(replies.length)
  })

  test('nothing that was in the pipe before the prompt began is lost', async () => {
    const input = new PassThrough()
    input.end('whoami\nwhoami')
    const { output, printed } = collector()
    await turns()
    await runPrompt({ ...fakeClient(), input, output, isTerminal: false, linger: false })
    expect(printed()).toBe('nobody is logged in\nnobody is logged in\n')
  })

  test('empty lines and comments are skipped without a word', async () => {
    const { lines, exitCode } = await runScript(['', '   ', '# a comment', '  #"', '\t', 'whoami # x'])
    expect(lines).toEqual(['error: whoami takes no words after it'])
    expect(exitCode).toBe(exitCodes.usage)
  })

  test('line ends of Windows, a byte order mark and characters cut in two are read as they are meant', async () => {
    const client = fakeClient()
    const bytes = Buffer.from('\ufeffcreate_group g1\r\nupload_file "Ü 日本.png" g1\r\n')
    await runScript(
      [...bytes].map((byte) => Buffer.of(byte)),
      { client },
    )
    expect(client.calls.slice(0, 2)).toEqual(['createGroup("g1", false)', 'uploadFile("Ü 日本.png", "g1")'])
  })

  test('what happens while a command runs is told behind its reply', async () => {
    const client = fakeClient()
    client.answers.downloadFile = async (_group, _name, destination) => {
      client.emit(finish)
      return accept({ destination, waiting: false })
    }
    const { lines } = await runScript(['download_file g1 1.png x'], { client })
    expect(lines).toEqual(['downloading 1.png from g1 to x', '[C] [g1] 1.png'])
  })

  test.each([
    ['leave_group g1', 'left g1', 'downloadsSettled({"group":"g1","giveUpWithoutSeederMs":60000})'],
    [
      'stop_share g1 1.png',
      'stopped sharing 1.png in g1',
      'downloadsSettled({"group":"g1","giveUpWithoutSeederMs":60000})',
    ],
    ['wait', 'no download is running', 'downloadsSettled({"giveUpWithoutSeederMs":60000})'],
  ])('%s lets the running download end first, though not wait for ever', async (line, text, call) => {
    const client = fakeClient()
    client.downloads.push(download({ name: '1.png', state: 'running' }))
    client.answers.downloadsSettled = async () => {
      if (client.downloads.pop() !== undefined) client.emit(finish)
      return true
    }
    const { lines, exitCode } = await runScript([line], { client })
    expect({ lines, exitCode }).toEqual({ lines: ['[C] [g1] 1.png', text], exitCode: 0 })
    expect(client.calls[0]).toEqual(call)
  })

  test('a download of another group, or of another file, is not waited for', async () => {
    const client = fakeClient()
    client.downloads.push(download({ name: '1.png', state: 'running' }))
    await runScript(['leave_group g2', 'stop_share g1 2.png', 'quit'], { client })
    expect(client.calls).toEqual(['leaveGroup("g2")', 'stopShare("g1", "2.png")'])
  })
})

describe('the exit code of a script', () => {
  test('is 0 when all went well', async () => {
    expect((await runScript(['create_group g1'])).exitCode).toBe(0)
    expect((await runScript([])).exitCode).toBe(0)
  })

  test('is that of the first command that failed, and those behind it run all the same', async () => {
    const { lines, exitCode } = await runScript(['nonsense', 'create_group g1', 'change_password a b'])
    expect(lines[1]).toBe('group g1 created')
    expect(exitCode).toBe(exitCodes.usage)
  })

  test('is 1 when a download failed, whenever that is', async () => {
    const client = fakeClient()
    client.answers.downloadsSettled = async () => {
      client.emit({ kind: 'download-failed', group: 'g1', name: '1.png', why: 'nobody has it' })
      return true
    }
    const { lines, exitCode } = await runScript(['whoami'], { client })
    expect(lines[1]).toBe('[F] [g1] 1.png - nobody has it')
    expect(exitCode).toBe(1)
  })

  test('is that of the disk when a download was stopped by trouble, and 0 when it was paused by a command', async () => {
    const client = fakeClient()
    client.downloads.push(download({ name: '1.png', state: 'paused' }))
    expect((await runScript([], { client })).exitCode).toBe(0)
    client.downloads.push(download({ name: '2.png', state: 'paused', why: 'the disk is full' }))
    expect((await runScript([], { client })).exitCode).toBe(exitCodes.disk)
  })

  test.each(['quit', 'exit'])('%s ends at once, without waiting for downloads', async (word) => {
    const client = fakeClient()
    client.answers.downloadsSettled = () => new Promise(() => {})
    const { lines, exitCode } = await runScript([word, 'whoami'], { client })
    expect({ lines, exitCode }).toEqual({ lines: ['bye'], exitCode: 0 })
  })

  test('quit does not hide that a command before it failed', async () => {
    expect((await runScript(['nonsense', 'quit'])).exitCode).toBe(exitCodes.usage)
  })
})

describe('the end of a script', () => {
  test('waits for running downloads, and gives up those that nobody has after a minute', async () => {
    const client = fakeClient()
    await runScript(['whoami'], { client })
    expect(client.calls).toEqual(['downloadsSettled({"giveUpWithoutSeederMs":60000})'])
  })

  test('goes on seeding with --linger, until it is stopped', async () => {
    const client = fakeClient()
    const stop = new AbortController()
    const running = runScript(['create_group g1'], { client, linger: true, stop: stop.signal })
    const first = await Promise.race([running, turns()])
    expect(first).toBeUndefined()
    expect(client.calls).toEqual(['createGroup("g1", false)'])
    stop.abort()
    expect((await running).exitCode).toBe(0)
  })

  test('comes at once when it is stopped in the middle of a command', async () => {
    const client = fakeClient()
    const stop = new AbortController()
    client.answers.createGroup = () => {
      stop.abort()
      return new Promise(() => {})
    }
    expect((await runScript(['create_group g1'], { client, stop: stop.signal })).lines).toEqual([])
  })

  test('comes quietly when nobody reads the output any more', async () => {
    const output = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
      },
    })
    const input = new PassThrough()
    input.write('whoami\n')
    expect(await runPrompt({ ...fakeClient(), input, output, isTerminal: false, linger: false })).toBe(1)
  })

  test('comes with an error when the input cannot be read', async () => {
    const { output, printed } = collector()
    const input = new Readable({
      read() {
        this.destroy(Object.assign(new Error('EISDIR: illegal operation'), { code: 'EISDIR' }))
      },
    })
    expect(await runPrompt({ ...fakeClient(), input, output, isTerminal: false, linger: false })).toBe(
      exitCodes.disk,
    )
    expect(printed()).toBe('error: the commands cannot be read: it is a folder\n')
  })
})

describe('trouble', () => {
  test('a failure of the client is an error reply', async () => {
    const client = fakeClient()
    client.answers.listGroups = async () => {
      throw new Failure('connection-lost', 'no tracker answers')
    }
    const { lines, exitCode } = await runScript(['list_groups', 'whoami'], { client })
    expect(lines).toEqual(['error: no tracker answers', 'nobody is logged in'])
    expect(exitCode).toBe(exitCodes.noTracker)
  })

  test('a bug is not swallowed', async () => {
    const client = fakeClient()
    client.answers.listGroups = async () => {
      throw new TypeError('this is a bug')
    }
    await expect(runScript(['list_groups'], { client })).rejects.toThrow('this is a bug')
  })

  test('a line of 4 MiB gets an error, and the next one its reply', async () => {
    const line = Buffer.alloc(4 * 1024 * 1024, 'x')
    const { lines } = await runScript([line, Buffer.from('\n'), 'whoami'])
    expect(lines).toEqual([
      'error: this line has more than 65536 characters and is skipped',
      'nobody is logged in',
    ])
  })

  test('a long unknown command is not repeated at full length', async () => {
    const { lines } = await runScript(['y'.repeat(60_000)])
    expect(lines).toEqual([`error: unknown command "${'y'.repeat(60)}…"; help lists the commands`])
  })

  test('binary junk gets error replies without a control character in them', async () => {
    const junk = Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 7919 + (index >> 3)) & 255))
    const { lines, exitCode } = await runScript([junk, 'whoami'])
    expect(lines.length).toBeGreaterThan(3)
    expect(lines.slice(0, -1).every((line) => line.startsWith('error: '))).toBe(true)
    // eslint-disable-next-line no-control-regex
    expect(lines.filter((line) => /[\u0000-\u001f\u007f-\u009f]/.test(line))).toEqual([])
    expect(exitCode).toBe(exitCodes.usage)
  })
})

describe('names from outside', () => {
  const hostile = '\u001b[2J\u001b]0;x\u0007a\nerror: b\u202e'
  const shown = '\\u{1b}[2J\\u{1b}]0;x\\u{7}a\\u{a}error: b\\u{202e}'

  test('are escaped in listings', async () => {
    const client = fakeClient()
    client.answers.listFiles = async () => accept([{ name: hostile, sizeBytes: 1, seeders: 1 }])
    client.answers.listMembers = async () => accept([hostile])
    client.downloads.push(download({ name: hostile, state: 'failed', why: hostile }))
    const { lines } = await runScript(['list_files g1', 'list_members g1', 'show_downloads'], { client })
    expect(lines).toEqual([`${shown}  1 byte  1 seeder`, shown, `[F] [g1] ${shown} - ${shown}`])
  })

  test('are escaped in refusals, failures and events', async () => {
    const client = fakeClient()
    client.answers.createGroup = async () => refuse('bad-name', hostile)
    client.answers.joinGroup = async () => {
      client.emit({ kind: 'notice', sentence: hostile })
      throw new Failure('protocol', hostile)
    }
    const { lines } = await runScript(['create_group g1', 'join_group g1'], { client })
    expect(lines).toEqual([`error: ${shown}`, `error: ${shown}`, shown])
  })
})

describe('events', () => {
  test('are a line each', async () => {
    const client = fakeClient()
    client.answers.listGroups = async () => {
      client.emit(finish)
      client.emit({ kind: 'join-requested', group: 'g1', user: 'def' })
      const sinceMs = new Date(2026, 0, 1, 14, 5).getTime()
      client.emit({ kind: 'join-requested', group: 'g1', user: 'def', times: 12, sinceMs })
      client.emit({ kind: 'request-decided', group: 'g1', accepted: true })
      client.emit({ kind: 'request-decided', group: 'g1', accepted: false })
      client.emit({ kind: 'removed-from-group', group: 'g1' })
      client.emit({ kind: 'became-owner', group: 'g1' })
      client.emit({ kind: 'trackers-lost', trackers: ['127.0.0.1:9002'] })
      client.emit({ kind: 'tracker-back' })
      return accept([])
    }
    const { lines } = await runScript(['list_groups'], { client })
    expect(lines.slice(1)).toEqual([
      '[C] [g1] 1.png',
      'def asks to join g1; to let them in: accept_request g1 def',
      'def asks to join g1 again, 12 times since 14:05; to let them in: accept_request g1 def',
      'you are now a member of g1',
      'your request to join g1 was rejected',
      'you are no longer a member of g1',
      'you are now the owner of g1',
      'no tracker answers; transfers go on, and 127.0.0.1:9002 is tried again',
      'reconnected to the tracker',
    ])
  })
})
