// The audit by itself: what its lines say, where it goes on after a start, and what happens when the disk does not.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Audit, type AuditOptions } from '../../../src/tracker/audit/audit.ts'
import { auditLoginsPerSecond } from '../../../src/tracker/limits.ts'
import { auditFilesKept } from '../../../src/common/audit-file/limits.ts'
import type { AppliedEntry } from '../../../src/tracker/sequencer.ts'
import type { Command } from '../../../src/tracker/state/commands.ts'
import { done, no, type Outcome } from '../../../src/tracker/state/outcomes.ts'
import { credentials } from '../state/world.ts'
import { temporaryFolder } from '../support/test-tracker.ts'

const time = '2026-11-29T12:00:00.000Z'

function entry(position: number, command?: Command, outcome: Outcome = done): AppliedEntry {
  const usual: Command = { kind: 'create_group', id: 'c'.repeat(16), by: 'ann', group: `g${position}` }
  const at = { position, atMs: Date.parse(time), from: '10.0.0.1', origin: 'o' }
  return { ...at, command: command ?? usual, outcome, effects: [] }
}

interface Kept {
  readonly path: string
  readonly said: string[]
  readonly open: (options?: Partial<AuditOptions>) => Promise<Audit>
  /** Every line, parsed. */
  readonly lines: (suffix?: string) => Record<string, unknown>[]
  readonly positions: () => unknown[]
}

function keep(): Kept {
  const path = join(temporaryFolder(), 'audit.jsonl')
  const said: string[] = []
  const usual = {
    path,
    nowMs: () => Date.parse(time),
    onTrouble: (sentence: string) => void said.push(sentence),
  }
  const open = async (options = {}): Promise<Audit> => {
    const audit = await Audit.open({ ...usual, ...options })
    onTestFinished(() => audit.close())
    return audit
  }
  const lines = (suffix = ''): Record<string, unknown>[] =>
    readFileSync(path + suffix, 'utf8')
      .split(/(?<=\n)/)
      .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { path, said, open, lines, positions: () => lines().map(({ position }) => position) }
}

/** An audit that has begun at 0, with a line for each of these positions. */
async function write({ open }: Kept, positions: readonly number[], options = {}): Promise<void> {
  const audit = await open(options)
  audit.begin((positions[0] ?? 1) - 1)
  for (const position of positions) audit.onApplied(entry(position))
  await audit.close()
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1)

test('a line says position, time, who, from where, what with its names, and the outcome', async () => {
  const kept = keep()
  const audit = await kept.open()
  audit.begin(0)
  const asked = { id: 'i'.repeat(16), by: 'ann' }
  const share = {
    ...asked,
    kind: 'share_file',
    group: 'g',
    name: 'a\nb',
    fileId: 'f'.repeat(64),
    sizeBytes: 5,
  } as const
  audit.onApplied(entry(1, share))
  audit.onApplied(
    entry(2, { ...asked, kind: 'remove_member', group: 'g', user: 'bob' }, no('not-the-owner', 'g')),
  )
  audit.onApplied({
    ...entry(3, { kind: 'set_quota', quota: 'groups_of_account', value: 7 }),
    from: undefined,
  })
  audit.onApplied({ ...entry(4), atMs: 0 })
  audit.onLoginRefused('10.0.0.2', 'bob', 'login-failed')
  audit.onLoginRefused('10.0.0.2', undefined, 'too-many-attempts')
  await audit.close()
  const ann = { time, who: 'ann', from: '10.0.0.1' }
  expect(kept.lines()).toEqual([
    { position: 1, ...ann, what: 'share_file', group: 'g', name: 'a\nb', sizeBytes: 5, outcome: 'done' },
    { position: 2, ...ann, what: 'remove_member', group: 'g', user: 'bob', outcome: 'not-the-owner' },
    { position: 3, time, what: 'set_quota', quota: 'groups_of_account', value: 7, outcome: 'done' },
    { position: 4, who: 'ann', from: '10.0.0.1', what: 'create_group', group: 'g4', outcome: 'done' },
    { position: 4, time, who: 'bob', from: '10.0.0.2', what: 'login', outcome: 'login-failed' },
    { position: 4, time, from: '10.0.0.2', what: 'login', outcome: 'too-many-attempts' },
  ])
  expect(statSync(kept.path).mode & 0o777).toBe(0o600)
})

test('no line has a salt, a key of a password, a secret of the community or the id of a command', async () => {
  const kept = keep()
  const audit = await kept.open()
  audit.begin(0)
  const secret = 's3cret'.repeat(8)
  const started = {
    kind: 'tracker_started',
    key: 'k'.repeat(44),
    cluster: 'c',
    secret,
    level: 2,
    number: 1,
  } as const
  audit.onApplied(entry(1, started))
  audit.onApplied(entry(2, { kind: 'register', id: 'i'.repeat(16), user: 'ann', credentials }))
  await audit.close()
  const text = readFileSync(kept.path, 'utf8')
  for (const each of [secret, 'i'.repeat(16), ...Object.values(credentials).map(String)])
    expect([each, text.includes(each)]).toEqual([each, false])
  expect(kept.lines()).toMatchObject([
    { what: 'tracker_started', tracker: 1 },
    { what: 'register', who: 'ann' },
  ])
})

test('after a restart it goes on behind its last line, with what was applied before it was written', async () => {
  const kept = keep()
  await write(kept, [8, 9, 10])
  const audit = await kept.open()
  // The log is read again; 11 and 12 came in the moment of a kill, or through another tracker.
  for (const position of upTo(12)) audit.onApplied(entry(position))
  audit.begin(12)
  audit.onApplied(entry(13))
  await audit.close()
  expect(kept.positions()).toEqual([8, 9, 10, 11, 12, 13])
})

test('a new audit does not repeat what was in the log before', async () => {
  const kept = keep()
  const audit = await kept.open()
  for (const position of upTo(3)) audit.onApplied(entry(position))
  audit.begin(3)
  audit.onApplied(entry(4))
  await audit.close()
  expect(kept.positions()).toEqual([4])
})

test('changes that came within a snapshot are counted, at the start and later', async () => {
  const kept = keep()
  await write(kept, upTo(2))
  const audit = await kept.open()
  audit.begin(7)
  audit.onApplied(entry(8))
  audit.onApplied(entry(20))
  await audit.close()
  expect(kept.lines().slice(2)).toMatchObject([
    { position: 7, what: 'changes_unseen', changes: 5 },
    { position: 8, what: 'create_group' },
    { position: 19, what: 'changes_unseen', changes: 11 },
    { position: 20, what: 'create_group' },
  ])
})

test('a log that begins anew is said to, and gets its lines', async () => {
  const kept = keep()
  await write(kept, upTo(5))
  const audit = await kept.open()
  audit.begin(0)
  audit.onApplied(entry(1))
  await audit.close()
  expect(kept.lines().slice(5)).toMatchObject([
    { position: 0, what: 'log_begins_anew', before: 5 },
    { position: 1, what: 'create_group' },
  ])
})

test('a line that a kill cut off is written again, whole, also when it is the first', async () => {
  for (const whole of [0, 2]) {
    const kept = keep()
    await write(kept, upTo(whole + 1))
    const text = readFileSync(kept.path, 'utf8')
    writeFileSync(kept.path, text.slice(0, -10))
    const audit = await kept.open()
    for (const position of upTo(whole + 1)) audit.onApplied(entry(position))
    audit.begin(whole + 1)
    await audit.close()
    // A new audit begins at the end of the log.
    expect(readFileSync(kept.path, 'utf8')).toBe(whole === 0 ? '' : text)
  }
})

test('full files are numbered, a few are kept, and each line is in one of them, whole', async () => {
  const kept = keep()
  const audit = await kept.open({
    fileBytesMax: 500,
    // In parts: a new file must not begin within a line.
    write: async (handle, bytes) => (await handle.write(bytes.subarray(0, 70))).bytesWritten,
  })
  audit.begin(0)
  const inFiles = (): Record<string, unknown>[] =>
    ['.4', '.3', '.2', '.1', ''].flatMap((suffix) =>
      existsSync(kept.path + suffix) ? kept.lines(suffix) : [],
    )
  // All at once, as the lines of a busy community come, and one at a time.
  for (const position of upTo(10)) audit.onApplied(entry(position))
  for (const position of upTo(30).slice(10)) {
    audit.onApplied(entry(position))
    await vi.waitFor(() => expect(inFiles().at(-1)?.['position']).toBe(position), {
      interval: 1,
      timeout: 20_000,
    })
  }
  await audit.close()
  const positions = inFiles().map(({ position }) => Number(position))
  expect(positions).toEqual(upTo(30).slice(-positions.length))
  for (const suffix of ['', '.1', '.2', '.3', '.4']) {
    expect(statSync(kept.path + suffix).size).toBeLessThanOrEqual(500)
    expect(statSync(kept.path + suffix).mode & 0o777).toBe(0o600)
  }
  expect(existsSync(`${kept.path}.${auditFilesKept + 1}`)).toBe(false)
})

test('a restart just after a file was put away goes on behind the last line of that', async () => {
  const kept = keep()
  await write(kept, upTo(3))
  writeFileSync(`${kept.path}.1`, readFileSync(kept.path))
  writeFileSync(kept.path, '')
  const audit = await kept.open()
  for (const position of upTo(4)) audit.onApplied(entry(position))
  audit.begin(4)
  await audit.close()
  expect(kept.positions()).toEqual([4])
})

test('a full disk costs bounded memory; what was dropped is counted in its place, in the file and the log', async () => {
  const kept = keep()
  let isFull = true
  const audit = await kept.open({
    bytesWaitingMax: 1000,
    retryMs: 1,
    write: async (handle, bytes) => {
      if (isFull) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
      // In parts, as a disk that is nearly full takes them.
      return (await handle.write(bytes.subarray(0, 70))).bytesWritten
    },
  })
  audit.begin(0)
  for (const position of upTo(20)) audit.onApplied(entry(position))
  await vi.waitFor(() => expect(kept.said).toContain(`${kept.path} cannot be written: the disk is full`))
  isFull = false
  await vi.waitFor(() => expect(kept.lines().at(-1)?.['what']).toBe('lines_dropped'))
  audit.onApplied(entry(21))
  await audit.close()
  const waited = kept.lines().findIndex(({ what }) => what === 'lines_dropped')
  expect(waited).toBeGreaterThan(3)
  expect(kept.positions()).toEqual([...upTo(waited), 20, 21])
  expect(kept.lines()[waited]).toEqual({ position: 20, time, what: 'lines_dropped', lines: 20 - waited })
  expect(kept.said).toContain(
    `${kept.path} is written too slowly or not at all; lines of the audit are dropped`,
  )
  expect(kept.said).toContain(`${kept.path} goes on; ${20 - waited} lines were dropped`)
})

test('an end does not wait for a disk that is full, and says what is lacking', async () => {
  const kept = keep()
  const audit = await kept.open({
    retryMs: 60_000,
    write: () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' })),
  })
  audit.begin(0)
  audit.onApplied(entry(1))
  await audit.close()
  expect(kept.said.at(-1)).toBe(`${kept.path} lacks at least 1 line`)
})

test('of a flood of refused logins a few get a line each second, and the others are counted', async () => {
  const kept = keep()
  const audit = await kept.open({ loginsEveryMs: 1 })
  audit.begin(0)
  for (let login = 0; login < 1000; login++) audit.onLoginRefused('10.0.0.1', 'ann', 'login-failed')
  await vi.waitFor(() =>
    expect(kept.lines().at(-1)).toMatchObject({
      what: 'logins_refused',
      logins: 1000 - auditLoginsPerSecond,
    }),
  )
  expect(kept.lines()).toHaveLength(auditLoginsPerSecond + 1)
  audit.onLoginRefused('10.0.0.1', 'ann', 'login-failed')
  await audit.close()
  expect(kept.lines().at(-1)).toMatchObject({ what: 'login', who: 'ann' })
})

test('a path that cannot be written, or holds something else, is a sentence, and stays as it is', async () => {
  const { path } = keep()
  const refused = (where: string) => Audit.open({ path: where, nowMs: Date.now, onTrouble: () => undefined })
  const sentence = (where: string, why: string) => ({
    code: 'start',
    message: `cannot write the audit to ${where}: ${why}`,
  })
  await expect(refused(`${path}/x/y`)).rejects.toMatchObject(
    sentence(`${path}/x/y`, 'there is no such file or folder'),
  )
  mkdirSync(path)
  await expect(refused(path)).rejects.toMatchObject(sentence(path, 'it is not a file'))
  for (const [name, text] of [
    ['list', '127.0.0.1:9002\n127.0.0.1:9003\n'],
    ['binary', 'x'.repeat(200_000)],
    ['log', '{"level":30,"msg":"starting"}\n'],
  ] as const) {
    const where = join(path, name)
    writeFileSync(where, text)
    await expect(refused(where)).rejects.toMatchObject(sentence(where, 'it is not an audit of a tracker'))
    expect(readFileSync(where, 'utf8')).toBe(text)
  }
})
