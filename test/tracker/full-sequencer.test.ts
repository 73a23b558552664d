// A log that holds back, and more commands than a tracker keeps for it.

import { expect, test } from 'vitest'
import { commandsWaitingMax } from '../../src/tracker/limits.ts'
import { MemoryLog } from '../../src/tracker/log/memory-log.ts'
import { Sequencer } from '../../src/tracker/sequencer.ts'
import type { Command } from '../../src/tracker/state/commands.ts'
import type { Outcome } from '../../src/tracker/state/outcomes.ts'

/** Appends nothing until it is told to. */
class HeldLog extends MemoryLog {
  letGo: () => void = () => undefined
  readonly #held = new Promise<void>((resolve) => (this.letGo = resolve))

  override async append(entries: readonly string[]): Promise<void> {
    await this.#held
    await super.append(entries)
  }
}

const creating = (index: number): Command => ({
  kind: 'create_group',
  id: `id-${index}`,
  by: 'ann',
  group: `g${index}`,
})

const reasonOf = (outcome: Outcome): string => (outcome.ok ? 'done' : outcome.reason)

test('so many commands wait for the log, one more is refused at once, and when some are done others may come', async () => {
  const log = new HeldLog()
  const sequencer = new Sequencer(log, {
    onApplied: () => undefined,
    onStateReplaced: () => undefined,
    onTrouble: (sentence) => expect.unreachable(sentence),
    onLost: ({ message }) => expect.unreachable(message),
  })
  await sequencer.start()
  const waiting = Array.from({ length: commandsWaitingMax - 1 }, (_, index) =>
    sequencer.submit(creating(index)),
  )
  // Those that were handed to the log count like those that were not.
  await new Promise((resolve) => setImmediate(resolve))
  const last = sequencer.submit(creating(commandsWaitingMax))
  const refused = sequencer.submit(creating(commandsWaitingMax + 1)).then(reasonOf)
  const aTurn = new Promise((resolve) => setImmediate(() => resolve('waits')))
  expect(await Promise.race([refused, aTurn])).toBe('too-busy')
  log.letGo()
  const reasons = (await Promise.all([...waiting, last])).map(reasonOf)
  expect(reasons).toHaveLength(commandsWaitingMax)
  expect(reasons).not.toContain('too-busy')
  expect(reasonOf(await sequencer.submit(creating(commandsWaitingMax + 2)))).not.toBe('too-busy')
})
