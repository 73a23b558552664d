// The tracker's command line.

import { writeFileSync } from 'node:fs'
import type { BlockList } from 'node:net'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { afterEach, expect, test, vi } from 'vitest'
import { Failure } from '../../src/common/failure.ts'
import { version } from '../../src/common/version.ts'
import { parseArguments, type Arguments, type TextInstead } from '../../src/tracker/arguments.ts'
import type { KnownFolder } from '../../src/tracker/folder-of-list.ts'
import { temporaryFolder } from './support/test-tracker.ts'

function trackerInfo(text = '127.0.0.1:9002\n127.0.0.1:9003\n'): string {
  const path = join(temporaryFolder(), 'tracker_info.txt')
  writeFileSync(path, text)
  return path
}

/** On a machine where trackers have run with these data folders. */
function parse(words: readonly string[], ...known: KnownFolder[]): Arguments | TextInstead {
  return parseArguments(words, () => known)
}

/** "code: sentence" of a mistake. */
function mistake(...words: string[]): string {
  try {
    return JSON.stringify(parse(words))
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    expect(error.message).not.toContain('\n')
    return `${error.code}: ${error.message}`
  }
}

test('a file and a number choose a line, and number 1 is the first and the default', () => {
  const file = trackerInfo()
  expect(parse([file, '2'])).toMatchObject({ number: 2, address: { host: '127.0.0.1', port: 9003 } })
  expect(parse([file, '1'])).toEqual(parse([file]))
})

test('an ip and a port are the only tracker', () => {
  expect(parse(['127.0.0.1', '8000'])).toMatchObject({
    number: 1,
    address: { host: '127.0.0.1', port: 8000 },
  })
  expect(parse(['localhost', '0'])).toMatchObject({ address: { host: '127.0.0.1', port: 0 } })
})

afterEach(() => vi.unstubAllEnvs())

test('trackers of one list share a data folder, those of another list do not', () => {
  vi.stubEnv('XDG_DATA_HOME', '/data')
  const file = trackerInfo()
  expect(parse([file, '1'])).toMatchObject({
    dataFolder: '/data/coterie/tracker-127.0.0.1_9002+127.0.0.1_9003',
  })
  expect(parse([file, '2'])).toMatchObject({
    dataFolder: '/data/coterie/tracker-127.0.0.1_9002+127.0.0.1_9003',
  })
  expect(parse(['::1', '8000'])).toMatchObject({ dataFolder: '/data/coterie/tracker-___1__8000' })
  const many = trackerInfo(Array.from({ length: 50 }, (_, index) => `10.0.0.${index}:9002`).join('\n'))
  expect(parse([many])).toMatchObject({
    dataFolder: expect.stringMatching(/^\/data\/coterie\/tracker-[0-9a-f]{64}$/) as string,
  })
})

test('a data folder of a list that shares a tracker is looked for where none is named, and only there', () => {
  vi.stubEnv('XDG_DATA_HOME', '/data')
  const path = '/data/coterie/tracker-127.0.0.1_9002'
  const before = { path, identity: path, trackers: ['127.0.0.1_9002'] }
  const other = { path: `${path}2`, identity: `${path}2`, trackers: ['127.0.0.1_9003'] }
  const file = trackerInfo()
  const list = [
    { host: '127.0.0.1', port: 9002 },
    { host: '127.0.0.1', port: 9003 },
  ]
  for (const number of ['1', '2'])
    expect(parse([file, number], before)).toMatchObject({ dataFolder: path, isFoundAgain: true, list })
  expect(() => parse([file], before, other)).toThrow(/name the right one with --data-dir$/)
  for (const [word, dataFolder] of [
    ['--memory', undefined],
    ['--data-dir=/x', '/x'],
  ] as const)
    expect(parse([file, word], before, other)).toMatchObject({ dataFolder, isFoundAgain: false, list })
})

test('the data can be kept elsewhere or nowhere', () => {
  expect(parse(['127.0.0.1', '1', '--data-dir', '/x'])).toMatchObject({ dataFolder: '/x' })
  expect(parse(['127.0.0.1', '1', '--memory'])).toMatchObject({ dataFolder: undefined })
  expect(mistake('127.0.0.1', '1', '--memory', '--data-dir', '/x')).toMatch(/^usage: .*cannot be used with/)
})

test('the log can be in NATS, with the key still in the data folder', () => {
  expect(parse(['127.0.0.1', '1'])).toMatchObject({ nats: undefined })
  expect(parse(['127.0.0.1', '1', '--data-dir', '/x', '--log', 'nats://a,b,c:4223/books'])).toMatchObject({
    dataFolder: '/x',
    nats: { servers: ['a:4222', 'b:4222', 'c:4223'], stream: 'books', replicas: 3 },
  })
  expect(mistake('127.0.0.1', '1', '--memory', '--log', 'nats://a')).toMatch(/^usage: .*cannot be used with/)
  expect(mistake('127.0.0.1', '1', '--log', 'redis://u:secret@a')).toMatch(
    /^usage: this is not an address of NATS; write --log nats:/,
  )
})

test('who the tracker is to NATS comes from a file, so that no command line shows it', () => {
  const file = join(temporaryFolder(), 'credentials')
  writeFileSync(file, 'user: "tracker"\npassword: "s3cret"\n')
  const words = ['127.0.0.1', '1', '--log-credentials', file]
  expect(parse([...words, '--log', 'nats://a/books'])).toMatchObject({
    nats: { servers: ['a:4222'], stream: 'books', user: 'tracker', password: 's3cret', token: undefined },
  })
  expect(mistake(...words)).toBe('usage: --log-credentials is for NATS; name its servers with --log')
  for (const login of ['ann:other', 'other'])
    expect(mistake(...words, '--log', `nats://${login}@a`)).toBe(
      'usage: with --log-credentials, leave user, password and token out of --log',
    )
  expect(mistake('127.0.0.1', '1', '--log', 'nats://a', '--log-credentials', `${file}2`)).toBe(
    `usage: cannot read the credentials for NATS from ${file}2: there is no such file or folder`,
  )
  writeFileSync(file, 's3cret\n')
  expect(mistake(...words, '--log', 'nats://a')).toMatch(/^usage: .*credentials, line 1: write user: /)
  expect(mistake(...words, '--log', 'nats://a')).not.toContain('s3cret')
})

test('every mistake is one sentence', () => {
  const file = trackerInfo()
  expect(mistake()).toBe('usage: the trackers are missing: ./tracker tracker_info.txt 1')
  expect(mistake(file, '1', '2')).toMatch(/^usage: too many arguments/)
  expect(mistake(file, '3')).toBe(`usage: ${file} lists 2 trackers; there is no number 3`)
  for (const number of ['0', '-1', '1.5', 'x', '', '1e3']) {
    expect(mistake('--', file, number)).toMatch(/^usage: ".*" is not the number of a tracker/)
  }
  expect(mistake('127.0.0.1')).toMatch(/^usage: the port is missing/)
  expect(mistake('127.0.0.1', '65536')).toMatch(/^usage: "65536" is not a port/)
  expect(mistake(join(file, '..', 'nothing'))).toMatch(
    /^usage: cannot read .*: there is no such file or folder$/,
  )
  expect(mistake(join(file, '..'))).toMatch(/^usage: cannot read .*: it is a folder$/)
  expect(mistake(trackerInfo('what is this\n'))).toMatch(/^usage: .*, line 1: "what" is not an address/)
  expect(mistake(trackerInfo('# nothing\n'))).toMatch(/^usage: .* names no tracker/)
  expect(mistake(file, '--memry')).toMatch(/^usage: unknown option '--memry' \(Did you mean --memory\?\)$/)
  expect(mistake(file, '--log-level', 'loud')).toMatch(/^usage: .*Allowed choices are/)
})

test('connections beyond this machine are encrypted, or all, or none', () => {
  expect(parse(['192.0.2.1', '9002'])).toMatchObject({ encryption: 'beyond' })
  expect(parse(['127.0.0.1', '9002', '--tls'])).toMatchObject({ encryption: 'always' })
  expect(parse(['192.0.2.1', '9002', '--insecure-plain'])).toMatchObject({ encryption: 'never' })
  expect(mistake('127.0.0.1', '9002', '--tls', '--insecure-plain')).toMatch(/cannot be used with option/)
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
    expect(parse([host, '0'])).toMatchObject({ number: 1 })
})

test('a tracker that is listed by a name listens on all addresses', () => {
  const named = trackerInfo('tracker.example.org:9002\n')
  expect(parse([named])).toMatchObject({ address: { host: '0.0.0.0', port: 9002 } })
})

test('who may register is one of three words, and left as it is without', () => {
  expect(parse([trackerInfo(), '1'])).toMatchObject({ registration: undefined })
  expect(parse([trackerInfo(), '1', '--registration', 'invited'])).toMatchObject({ registration: 'invited' })
  expect(mistake(trackerInfo(), '1', '--registration', 'shut')).toMatch(/^usage: .*open, invited, closed/)
})

test('help and the version are text and no mistake', () => {
  expect(parse(['--help'])).toMatchObject({
    text: expect.stringContaining('Usage: tracker') as string,
  })
  expect(parse(['--version'])).toEqual({ text: `coterie ${version}\n` })
  expect(mistake('-V')).toMatch(/^usage: unknown option '-V'/)
})

test('clients may advertise no address but their own, any, or those that are named', () => {
  const advertised = (...words: string[]) => {
    const parsed = parse([trackerInfo(), '1', ...words])
    return 'advertised' in parsed ? parsed.advertised : undefined
  }
  expect(advertised()).toBe('observed')
  expect(advertised('--advertised', 'any')).toBe('any')
  const list = advertised('--advertised', '198.51.100.7, 2001:db8::7') as BlockList
  expect([
    list.check('198.51.100.7'),
    list.check('2001:db8:0::7', 'ipv6'),
    list.check('198.51.100.8'),
  ]).toEqual([true, true, false])
  for (const bad of ['home.example.org', '198.51.100.7,', 'all'])
    expect(mistake(trackerInfo(), '1', '--advertised', bad)).toMatch(
      /^usage: .*is not an IP address; write observed, any, or addresses/,
    )
})

test('a tracker forwards at a rate, or without a limit, or not at all', () => {
  const relay = (...words: string[]): unknown => parse([trackerInfo(), '1', ...words])
  expect(relay()).toMatchObject({ relay: undefined })
  expect(relay('--relay', '20M')).toMatchObject({ relay: { bytesPerSecond: 20 * 1024 * 1024 } })
  expect(relay('--relay', 'none')).toMatchObject({ relay: { bytesPerSecond: undefined } })
  expect(mistake(trackerInfo(), '1', '--relay', 'fast')).toMatch(/^usage: .*"fast" is not a rate like 512K/)
})

test('clients reach a tracker where it is advertised, else where the list says', () => {
  const file = trackerInfo('tracker.example.org:9002\n')
  expect(parse([file])).toMatchObject({ reachedAt: { host: 'tracker.example.org', port: 9002 } })
  expect(parse([file, '1', '--advertise', '198.51.100.1:443'])).toMatchObject({
    reachedAt: { host: '198.51.100.1', port: 443 },
  })
})

test('metrics are answered where a port is named, and on none without', () => {
  expect(parse([trackerInfo()])).toMatchObject({ metricsPort: undefined })
  expect(parse([trackerInfo(), '1', '--metrics', '9464'])).toMatchObject({ metricsPort: 9464 })
  for (const port of ['65536', '-1', 'http', '1.5', ''])
    expect(mistake(trackerInfo(), '1', '--metrics', port)).toMatch(/^usage: .*a port is a number up to 65535/)
})

test('whose certificates of NATS servers are good can be said, with tls only', () => {
  const file = join(temporaryFolder(), 'ca')
  const [ca = ''] = rootCertificates
  writeFileSync(file, ca)
  const words = ['127.0.0.1', '1', '--log-ca', file]
  expect(parse([...words, '--log', 'tls://a/books'])).toMatchObject({
    nats: { isTls: true, ca, servers: ['a:4222'], stream: 'books' },
  })
  expect(parse(['127.0.0.1', '1', '--log', 'tls://a'])).toMatchObject({
    nats: { isTls: true, ca: undefined },
  })
  const isForTls = 'usage: --log-ca is for encrypted connections to NATS; write --log tls://…'
  expect([mistake(...words), mistake(...words, '--log', 'nats://a')]).toEqual([isForTls, isForTls])
  expect(mistake('127.0.0.1', '1', '--log', 'tls://a', '--log-ca', `${file}2`)).toBe(
    `usage: cannot read the certificate of --log-ca from ${file}2: there is no such file or folder`,
  )
  writeFileSync(file, 'nothing')
  expect(mistake(...words, '--log', 'tls://a')).toBe(
    `usage: ${file} holds no certificate; --log-ca needs one that begins with -----BEGIN`,
  )
})

test('the audit is a file whose name is taken from the present folder', () => {
  expect(parse(['127.0.0.1', '1'])).toMatchObject({ auditFile: undefined })
  expect(parse(['127.0.0.1', '1', '--audit', '/x/audit.jsonl'])).toMatchObject({
    auditFile: '/x/audit.jsonl',
  })
  expect(parse(['127.0.0.1', '1', '--audit', 'a'])).toMatchObject({ auditFile: join(process.cwd(), 'a') })
  expect(mistake('127.0.0.1', '1', '--audit', '')).toMatch(/^usage: .*a file or folder needs a name/)
})

test('texts name the command that was typed', () => {
  const help = parseArguments(['--help'], () => [], 'coterie-tracker')
  expect('text' in help && help.text).toMatch(
    /^Usage: coterie-tracker \[options\] .+\n {7}coterie-tracker \[options\] <ip>/,
  )
  expect(() => parseArguments([], () => [], 'coterie-tracker')).toThrow('missing: coterie-tracker ')
})
