// Times a tracker with a long log, from its start to serving.

import { join } from 'node:path'
import type { Credentials } from '../../src/common/security/scram.ts'
import { SqliteLog } from '../../src/tracker/log/sqlite-log.ts'
import type { RaiseLevel } from '../../src/tracker/state/commands.ts'
import { newestLevel } from '../../src/tracker/state/levels.ts'
import { seededRandom } from '../simulation/seeded-random.ts'
import { inMs } from './figures.ts'
import { Trackers } from './trackers.ts'
import { credentialsFor, passwordNamed, placeholderOf } from './workload/passwords.ts'
import { commandId } from './workload/speaker.ts'
import { Story, type StoryWish } from './workload/story.ts'

const commandCount = 100_000
const restarts = 5
const boundMs = 2_000
const userCount = 64
const commandsPerCommit = 1_000

/**
 * Starts once with every command to replay, which a tracker that takes snapshots never has to do, and then several
 * times from the snapshot that the first start took.
 */
export async function timeRestart(seed: number): Promise<{ rows: [string, string][]; isFast: boolean }> {
  const trackers = await Trackers.make(1, seed)
  const [tracker] = trackers.all
  if (tracker === undefined) throw new Error('no tracker was made')
  try {
    await fill(join(trackers.dataFolder, 'log.sqlite'), seed)
    const replayMs = await tracker.start()
    const { position } = await tracker.digest()
    const timesMs: number[] = []
    for (let restart = 0; restart < restarts; restart++) {
      await tracker.kill()
      timesMs.push(await tracker.start())
    }
    const longestMs = Math.max(...timesMs)
    const rows: [string, string][] = [
      ['commands in the log', String(position)],
      ['start, every command replayed', inMs(replayMs)],
      ['restart, from a snapshot, longest', inMs(longestMs)],
    ]
    return { rows, isFast: Math.max(replayMs, longestMs) < boundMs }
  } finally {
    await trackers.close()
  }
}

/** Fills the log with commands of random stories, as a tracker would. */
async function fill(path: string, seed: number): Promise<void> {
  const log = new SqliteLog(path)
  await log.follow({ onEntry: () => undefined, onSnapshot: () => undefined, onLost: () => undefined })
  let batch: string[] = []
  let number = 0
  for (const wish of wishes(seed)) {
    const id = wish.kind === 'raise_level' ? {} : { id: commandId() }
    const command = { ...id, ...wish, ...(await credentialsIn(wish)) }
    batch.push(JSON.stringify({ origin: 'campaign', number: number++, command }))
    if (batch.length < commandsPerCommit && number < commandCount) continue
    await log.append(batch)
    batch = []
    if (number === commandCount) break
  }
  await log.close()
}

/** In the place of their placeholder. */
async function credentialsIn(wish: StoryWish | RaiseLevel): Promise<{ credentials?: Credentials }> {
  if (!('credentials' in wish)) return {}
  return { credentials: await credentialsFor(passwordNamed(wish.credentials.storedKey)) }
}

/** Endless: the newest rules and the users first, then one story after the other. */
function* wishes(seed: number): Generator<StoryWish | RaiseLevel> {
  const random = seededRandom(seed)
  const users = Array.from({ length: userCount }, (_, index) => `user-${index}`)
  yield { kind: 'raise_level', level: newestLevel }
  for (const user of users) yield { kind: 'register', user, credentials: placeholderOf('first') }
  for (let chapter = 0; ; chapter++) {
    const actors = [0, 1, 2].map((next) => users[(chapter + next) % userCount] as string)
    const story = new Story(`g${chapter}`, actors, random)
    for (let step = story.next(); step !== undefined; step = story.next()) {
      step.answer = step.expected
      yield step.wish
    }
  }
}
