// Several trackers at one data file: real processes that start, stop, stand still and come back.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { SqliteLog } from '../../../src/tracker/log/sqlite-log.ts'
import { Trackers } from '../../campaigns/trackers.ts'
import type { TrackerProcess } from '../../campaigns/tracker-process.ts'
import { snapshottingProgram } from '../../campaigns/variants.ts'
import { credentialsFor } from '../../campaigns/workload/passwords.ts'
import { commandId, Speaker } from '../../campaigns/workload/speaker.ts'
import { temporaryFolder } from '../support/test-tracker.ts'
import { Follower } from './follower.ts'

const seed = Date.now() % 1_000_000

async function trackersAt(count: number, program?: Parameters<typeof Trackers.make>[2]): Promise<Trackers> {
  const trackers = await Trackers.make(count, seed, program)
  onTestFinished(() => trackers.close())
  return trackers
}

/** Registers these users at one of the trackers, which is up. */
async function register(trackers: Trackers, tracker: number, ...users: string[]): Promise<void> {
  const address = trackers.addresses[tracker]
  if (address === undefined) throw new Error('there is no such tracker')
  const speaker = new Speaker([address], 0)
  for (const user of users) {
    const params = { id: commandId(), user, ...(await credentialsFor()) }
    expect(await speaker.ask('register', params)).toMatchObject({ ok: true })
  }
  speaker.close()
}

async function expectAgreement(running: readonly TrackerProcess[]): Promise<void> {
  await vi.waitFor(async () => {
    const digests = await Promise.all(running.map((tracker) => tracker.digest()))
    expect(new Set(digests.map((each) => JSON.stringify(each))).size).toBe(1)
  })
}

describe('trackers on one data folder', () => {
  test('start at the same moment on an empty folder and are one community, in every round', async () => {
    for (let round = 0; round < 3; round++) {
      const trackers = await trackersAt(4)
      await Promise.all(trackers.all.map((tracker) => tracker.start()))
      for (const index of trackers.all.keys()) await register(trackers, index, `user-${index}`)
      await expectAgreement(trackers.all)
      const { position } = (await trackers.all[0]?.digest()) ?? {}
      expect(position).toBeGreaterThanOrEqual(9)
      expect(trackers.all.map((tracker) => tracker.stderr).join('')).toBe('')
      await trackers.close()
    }
  })

  test('start and stop in any order, and each that comes back knows what happened meanwhile', async () => {
    const trackers = await trackersAt(3)
    const [one, two, three] = trackers.all as [TrackerProcess, TrackerProcess, TrackerProcess]
    await three.start()
    await register(trackers, 2, 'a')
    await one.start()
    await register(trackers, 0, 'b')
    await three.quit()
    await register(trackers, 0, 'c')
    await two.start()
    await one.kill()
    await register(trackers, 1, 'd')
    await Promise.all([one.start(), three.start()])
    await register(trackers, 2, 'e')
    await expectAgreement(trackers.all)
    expect((await one.digest()).position).toBe(9)
    // All at once, and the last of them in good order: nothing is left that only one of them knew.
    await Promise.all([one.kill(), three.kill()])
    await two.quit()
    await three.start()
    expect((await three.digest()).position).toBe(9)
  })

  test('one that stood still, or did not run, catches up over a log that was truncated meanwhile', async () => {
    const trackers = await trackersAt(3, snapshottingProgram)
    const [busy, stopped, away] = trackers.all as [TrackerProcess, TrackerProcess, TrackerProcess]
    for (const tracker of trackers.all) await tracker.start()
    await away.quit()
    stopped.signal('SIGSTOP')
    // Three snapshots, and entries only from the last hundred before one on.
    await register(trackers, 0, ...Array.from({ length: 1000 }, (_, index) => `user-${index}`))
    stopped.signal('SIGCONT')
    await away.start()
    await expectAgreement([busy, stopped, away])
    expect((await stopped.digest()).position).toBe(1004)
    await register(trackers, 1, 'later')
    await expectAgreement([busy, stopped, away])
  })

  test('that all write without a pause all get their turn', async () => {
    const trackers = await trackersAt(2)
    await Promise.all(trackers.all.map((tracker) => tracker.start()))
    const counts = [0, 0]
    const write = async (tracker: number, client: number): Promise<void> => {
      for (let index = 0; Math.min(...counts) < 200; index++) {
        await register(trackers, tracker, `user-${tracker}-${client}-${index}`)
        counts[tracker] = (counts[tracker] ?? 0) + 1
      }
    }
    const clients = Array.from({ length: 16 }, (_, client) => [write(0, client), write(1, client)])
    await Promise.all(clients.flat())
    expect(Math.max(...counts)).toBeLessThan(10 * Math.min(...counts))
    await expectAgreement(trackers.all)
  })
})

describe('a tracker whose data file is taken from under it', () => {
  const takings: Record<string, (folder: string) => void> = {
    'is removed': (folder) => {
      for (const tail of ['', '-wal', '-shm']) rmSync(join(folder, `log.sqlite${tail}`))
    },
    'is replaced by another': (folder) => {
      writeFileSync(join(folder, 'other'), readFileSync(join(folder, 'log.sqlite')))
      renameSync(join(folder, 'other'), join(folder, 'log.sqlite'))
    },
    'loses its write-ahead log': (folder) => rmSync(join(folder, 'log.sqlite-wal')),
    'is moved away with its folder': (folder) => renameSync(folder, `${folder}-moved`),
  }

  test.each(Object.entries(takings))('ends with a sentence when the file %s', async (_name, take) => {
    const trackers = await trackersAt(1)
    const [tracker] = trackers.all
    await tracker?.start()
    await register(trackers, 0, 'ann')
    take(trackers.dataFolder)
    await tracker?.ended()
    expect(tracker?.stderr).toMatch(
      /^error: \S+log\.sqlite(-wal)? was removed or replaced while this tracker was using it; stop every tracker/,
    )
    expect(tracker?.exitCode).toBe(1)
  })

  test('acknowledges nothing any more', async () => {
    const folder = join(temporaryFolder(), 'data')
    mkdirSync(folder)
    const log = new SqliteLog(join(folder, 'log.sqlite'))
    onTestFinished(() => log.close())
    const follower = new Follower()
    await log.follow(follower)
    await log.append(['a'])
    renameSync(folder, `${folder}-moved`)
    await expect(log.append(['b'])).rejects.toThrow('the log is not followed any more')
    expect(follower.lost?.message).toMatch(/was removed or replaced/)
    expect(follower.delivered).toEqual(['1 a'])
  })
})

describe('a tracker whose disk is full', () => {
  test('says so, refuses changes, and goes on answering; nothing of what it acknowledged is lost', async () => {
    const limitBlocks = 64
    const limited = join(temporaryFolder(), 'limited.sh')
    // The system refuses to make any file longer than this: to SQLite a disk that takes no more.
    writeFileSync(limited, `ulimit -f ${limitBlocks}\nexec "$@"\n`)
    const trackers = await trackersAt(1)
    const [tracker] = trackers.all
    await tracker?.start({ ...trackers.program, within: ['/bin/sh', limited] })
    const address = trackers.addresses[0]
    if (address === undefined) throw new Error('no address')
    const speaker = new Speaker([address], 0)
    const registered: string[] = []
    for (let index = 0; ; index++) {
      const params = { id: commandId(), user: `user-${index}`, ...(await credentialsFor()) }
      if ((await speaker.try('register', params)) === undefined) break
      registered.push(params.user)
    }
    await vi.waitFor(() => expect(tracker?.stderr).toMatch(/cannot write the data file \S+log\.sqlite: /))
    expect(await speaker.ask('ping', {})).toMatchObject({ ok: true })
    expect((await tracker?.digest())?.position).toBe(registered.length + 2)
    speaker.close()
    await tracker?.kill()
    await tracker?.start()
    expect((await tracker?.digest())?.position).toBe(registered.length + 2)
  })
})

// Every other file that cannot be trusted is in sqlite-log.test.ts.
test('a tracker does not start over a data file that is damaged, and leaves it as it is', async () => {
  const trackers = await trackersAt(1)
  const [tracker] = trackers.all
  const file = join(trackers.dataFolder, 'log.sqlite')
  await tracker?.start()
  await tracker?.quit()
  writeFileSync(file, readFileSync(file).subarray(0, 5000))
  const before = readFileSync(file)
  await expect(tracker?.start()).rejects.toThrow(/is damaged \(.+\); restore a copy of it, or move it away/)
  await tracker?.ended()
  expect(tracker?.stderr).toMatch(/^error: [^\n]+\n$/)
  expect(tracker?.exitCode).toBe(1)
  expect(readFileSync(file).equals(before)).toBe(true)
})

// SQLite takes what is whole of a write-ahead file and drops the rest without a word: 202 of 400 groups
// were gone, and after a copy of log.sqlite alone all of them.
describe('a tracker does not start with a log that ends before what it has seen', () => {
  const losses: Record<string, (file: string) => void> = {
    'its write-ahead file is damaged': (file) => {
      const wal = readFileSync(`${file}-wal`)
      writeFileSync(`${file}-wal`, wal.fill(0xff, wal.length >> 1, (wal.length >> 1) + 64))
    },
    'its write-ahead file is gone': (file) => {
      rmSync(`${file}-wal`)
      rmSync(`${file}-shm`)
    },
    'all of it is gone': (file) => {
      for (const tail of ['', '-wal', '-shm']) rmSync(`${file}${tail}`)
    },
  }

  test.each(Object.entries(losses))('because %s', async (_, lose) => {
    const trackers = await trackersAt(1)
    const [tracker] = trackers.all
    await tracker?.start()
    await register(trackers, 0, 'ann', 'ben', 'cem', 'dora')
    const mark = join(trackers.dataFolder, 'tracker-1', 'log-position')
    await vi.waitFor(() => expect(Number(readFileSync(mark, 'utf8'))).toBe(6))
    await tracker?.kill()
    lose(join(trackers.dataFolder, 'log.sqlite'))
    await expect(tracker?.start()).rejects.toThrow(
      /the log has lost entries \(it ends at \d, and this tracker has seen 6\); restore a whole copy of it, or remove/,
    )
    rmSync(mark)
    await tracker?.start()
  })
})
