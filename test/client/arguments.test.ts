import { describe, expect, test } from 'vitest'
import { parseArguments } from '../../src/client/arguments.ts'
import { Failure } from '../../src/common/failure.ts'
import { version } from '../../src/common/version.ts'

const files: Record<string, string> = {
  'tracker_info.txt': '127.0.0.1:9002\n127.0.0.1:9003\n',
  'my trackers.txt': '# ours\n10.0.0.1:1 later:field\n',
  'empty.txt': '\n# none\n',
  'zero.txt': '127.0.0.1:0\n',
}

function readFile(path: string): string {
  const text = files[path]
  if (text === undefined) throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' })
  return text
}

function argumentsOf(line: string[]) {
  const parsed = parseArguments(line, readFile)
  if (parsed.kind !== 'run') throw new Error(parsed.text)
  return parsed.arguments
}

function sentenceFor(line: string[]): string {
  try {
    parseArguments(line, readFile)
  } catch (error) {
    if (error instanceof Failure && error.code === 'usage') return error.message
    throw error
  }
  throw new Error('nothing was thrown')
}

const two = [
  { host: '127.0.0.1', port: 9002 },
  { host: '127.0.0.1', port: 9003 },
]

describe('the forms of the command line', () => {
  test.each([
    [['127.0.0.1:4444', 'tracker_info.txt'], { host: '127.0.0.1', port: 4444 }, two],
    [['127.0.0.1:4444'], { host: '127.0.0.1', port: 4444 }, two],
    [['127.0.0.1:0'], { host: '127.0.0.1', port: 0 }, two],
    [['[::1]:4444', 'my trackers.txt'], { host: '::1', port: 4444 }, [{ host: '10.0.0.1', port: 1 }]],
    [
      ['127.0.0.1', '3000', '127.0.0.1', '8000'],
      { host: '127.0.0.1', port: 3000 },
      [{ host: '127.0.0.1', port: 8000 }],
    ],
  ])('%j', (line, listen, trackers) => {
    expect(argumentsOf(line)).toEqual({
      listen,
      trackers,
      dataFolder: undefined,
      linger: false,
      script: [],
      isJson: false,
      mapsPort: false,
      uploadLimit: undefined,
      downloadLimit: undefined,
      encryption: 'beyond',
    })
  })

  test('a script may stand there, in parts that keep their order', () => {
    const line = ['127.0.0.1:1', '-e', 'whoami', '-f', 'script.txt', '--execute=list_groups', '--json']
    expect(argumentsOf(line)).toMatchObject({
      script: [{ commands: 'whoami' }, { file: 'script.txt' }, { commands: 'list_groups' }],
      isJson: true,
      stopsAtError: undefined,
    })
    expect(argumentsOf(['127.0.0.1:1', '--keep-going']).stopsAtError).toBe(false)
    expect(argumentsOf(['127.0.0.1:1', '--stop-at-error']).stopsAtError).toBe(true)
    expect(sentenceFor(['127.0.0.1:1', '--stop-at-error', '--keep-going'])).toContain('--keep-going')
  })

  test('options may stand before, between and behind', () => {
    const line = ['--linger', '127.0.0.1:4444', '--upload-limit', '512K', 'tracker_info.txt']
    const behind = ['--download-limit=4M', '--data-dir', '/tmp/x', '--insecure-plain']
    expect(argumentsOf([...line, ...behind])).toMatchObject({
      linger: true,
      uploadLimit: 524_288,
      downloadLimit: 4_194_304,
      dataFolder: '/tmp/x',
      encryption: 'never',
    })
    expect(argumentsOf(['127.0.0.1:1', '--upload-limit', 'none']).uploadLimit).toBeUndefined()
    const relay = (...words: string[]): unknown => argumentsOf(['127.0.0.1:1', ...words]).relay
    expect(relay()).toBeUndefined()
    expect(relay('--relay', '2M')).toEqual({ bytesPerSecond: 2 * 1024 * 1024 })
    expect(relay('--relay', 'none')).toEqual({ bytesPerSecond: undefined })
  })

  test('--guests serves guests at an address, with a certificate and an audit that are named', () => {
    const words = ['--guests', '0.0.0.0:8443', '--guest-cert', 'own.pem', '--audit', 'a.jsonl', '127.0.0.1:1']
    expect(argumentsOf(words)).toMatchObject({
      guests: { host: '0.0.0.0', port: 8443 },
      guestCertificate: 'own.pem',
      auditFile: 'a.jsonl',
    })
    expect(argumentsOf(['127.0.0.1:1'])).toMatchObject({ guests: undefined, auditFile: undefined })
    expect(sentenceFor(['--guests', '8443', '127.0.0.1:1'])).toContain('"8443" is not an address')
  })

  test('--web serves the page at a port, or at any free one', () => {
    const port = (...words: string[]): unknown => argumentsOf(['127.0.0.1:1', ...words]).webPort
    expect([port(), port('--web'), port('--web', '8080'), port('--web=0')]).toEqual([undefined, 0, 8080, 0])
    expect(argumentsOf(['127.0.0.1:1', '--drop-folder', 'in']).dropFolder).toBe('in')
    expect(sentenceFor(['--web', '127.0.0.1:1'])).toContain('a port is a number up to 65535')
  })

  test('--help and --version are texts to print', () => {
    expect(parseArguments(['--version'], readFile)).toEqual({ kind: 'text', text: `coterie ${version}\n` })
    const help = parseArguments(['--help'], readFile)
    expect(help.kind === 'text' && help.text).toContain('./client 127.0.0.1:4444 tracker_info.txt')
  })

  test('texts name the command that was typed', () => {
    const help = parseArguments(['--help'], readFile, 'coterie')
    const text = help.kind === 'text' ? help.text : ''
    expect(text).toMatch(/^Usage: coterie \[options\] .+\n {7}coterie \[options\] /)
    expect(text).toContain('\n  coterie 127.0.0.1:4444 tracker_info.txt\n')
    expect(text).not.toMatch(/\bclient \[|\.\/client/)
    expect(() => parseArguments([], readFile, 'coterie')).toThrow('missing: coterie 127.0.0.1:4444')
  })
})

describe('arguments that make no sense get one sentence', () => {
  test.each([
    [[], 'the listening address is missing: ./client 127.0.0.1:4444 tracker_info.txt'],
    [['4444'], '"4444" is not an address like 127.0.0.1:9002'],
    [['127.0.0.1:99999'], '"99999" is not a port (0 to 65535)'],
    [['example.org:1'], '"example.org" is a name; write the IP address of that machine'],
    [
      ['127.0.0.1:1', '127.0.0.1:2'],
      'write two addresses as four words: ./client 127.0.0.1 1 127.0.0.1 2; or put the tracker into a file',
    ],
    [
      ['[::1]:1', '[::1]:2'],
      'write two addresses as four words: ./client ::1 1 ::1 2; or put the tracker into a file',
    ],
    [['127.0.0.1', '3000'], 'the tracker is missing: ./client 127.0.0.1 3000 <tracker ip> <tracker port>'],
    [
      ['127.0.0.1', '3000', '127.0.0.1'],
      'these are 3 words; write <ip:port> [tracker file], or <ip> <port> <tracker ip> <tracker port>',
    ],
    [
      ['1', '2', '3', '4', '5'],
      'these are 5 words; write <ip:port> [tracker file], or <ip> <port> <tracker ip> <tracker port>',
    ],
    [['127.0.0.1', 'x', '127.0.0.1', '1'], '"x" is not a port (0 to 65535)'],
    [['127.0.0.1', '1', '127.0.0.1', '0'], 'a tracker cannot have port 0'],
    [['127.0.0.1:1', 'none.txt'], 'cannot read the trackers from none.txt: there is no such file or folder'],
    [['127.0.0.1:1', 'empty.txt'], 'empty.txt names no tracker; write one ip:port a line'],
    [['127.0.0.1:1', 'zero.txt'], 'a tracker cannot have port 0'],
    [['127.0.0.1:1', '--lingr'], "unknown option '--lingr'; did you mean --linger?"],
    [['127.0.0.1:1', '--data-dir'], "option '--data-dir <folder>' argument missing"],
    [['127.0.0.1:1', '--upload-limit', 'fast'], '"fast" is not a rate like 512K, 4M or none'],
  ])('%j', (line, sentence) => expect(sentenceFor(line)).toBe(sentence))
})
