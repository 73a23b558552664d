// Any story through the sequencer and a real log: whoever reads the log anew comes to the same state.

import fc from 'fast-check'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { CommandLog } from '../../src/tracker/log/command-log.ts'
import { MemoryLog } from '../../src/tracker/log/memory-log.ts'
import { SqliteLog } from '../../src/tracker/log/sqlite-log.ts'
import { Sequencer } from '../../src/tracker/sequencer.ts'
import type { Command } from '../../src/tracker/state/commands.ts'
import { digestOf } from '../../src/tracker/state/sections.ts'
import { anyStory } from './state/wishes.ts'
import { temporaryFolder } from './support/test-tracker.ts'

/** Each gives a function that opens the same log again; nothing is kept behind a snapshot. */
const engines: Record<string, (folder: string) => () => CommandLog> = {
  memory: () => {
    const log = new MemoryLog()
    return () => log
  },
  'SQLite file': (folder) => {
    const path = join(folder, 'log.sqlite')
    rmSync(path, { force: true })
    return () => new SqliteLog(path, 0)
  },
}

async function follow(log: CommandLog, commandsPerSnapshot: number): Promise<Sequencer> {
  const fail = (trouble: unknown): never => {
    throw new Error(String(trouble))
  }
  const events = {
    onApplied: () => undefined,
    onStateReplaced: () => undefined,
    onTrouble: fail,
    onLost: fail,
  }
  const sequencer = new Sequencer(log, events, { commandsPerSnapshot })
  await sequencer.start()
  return sequencer
}

const summary = (sequencer: Sequencer): unknown[] => {
  void sequencer.sync()
  return [digestOf(sequencer.state), sequencer.position]
}

test.each(Object.entries(engines))(
  'with the log in %s, replaying any story gives the same digest, wherever snapshots were taken',
  async (name, engine) => {
    const folder = temporaryFolder()
    // A commit costs milliseconds where the disk is slow.
    const runs = { numRuns: name === 'memory' ? 100 : 10 }
    await fc.assert(
      fc.asyncProperty(
        anyStory,
        fc.integer({ min: 1, max: 60 }),
        fc.nat(),
        fc.nat(),
        async (story, every, at, raiseAt) => {
          const open = engine(folder)
          const logs = [open(), open(), open()] as [CommandLog, CommandLog, CommandLog]
          const one = await follow(logs[0], every)
          const two = await follow(logs[1], every)
          for (const [index, wish] of story.entries()) {
            if (index === 0)
              await one.submit({ kind: 'tracker_started', key: 'k', cluster: 'c', secret: 's', level: 2 })
            if (index === raiseAt % 20) await one.submit({ kind: 'raise_level', level: 2 })
            // Two trackers take turns, so each has applied entries of its own and of the other.
            const submitter = (index + at) % 3 === 0 ? two : one
            await submitter.submit({ id: `id-${index}`, ...wish } as Command)
          }
          await Promise.all([one.stop(), two.stop()])
          const replayed = await follow(logs[2], every)
          expect(summary(two)).toEqual(summary(one))
          expect(summary(replayed)).toEqual(summary(one))
          for (const log of logs) await log.close()
        },
      ),
      runs,
    )
  },
)
