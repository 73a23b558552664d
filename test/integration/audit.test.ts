// The audit of a tracker that is killed in the middle of changes: when it runs again, each has its line once.

import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { TestClient } from '../tracker/support/test-client.ts'
import { World } from './world.ts'

test('a tracker killed in the middle of changes writes the line of each once, in the order of the log', async () => {
  const world = new World()
  onTestFinished(() => world.close())
  const path = world.path('audit.jsonl')
  const words = ['127.0.0.1', '0', '--data-dir', world.path('data'), '--audit', path]
  const done: string[] = []
  for (const round of [1, 2, 3]) {
    const tracker = world.run(`tracker ${round}`, 'tracker', words)
    const line = await tracker.until(/listening on/)
    const ann = await TestClient.loggedIn({ host: '127.0.0.1', port: Number(line.split(':').at(-1)) }, 'ann')
    const groups = Array.from({ length: 200 }, (_, index) => `g-${round}-${index}`)
    const changes = groups.map(async (group, index) => {
      const answer = await ann.change('create_group', { group }).catch(() => undefined)
      if (answer?.ok === true) done.push(group)
      // In the same turn as an answer, so before the line of its change can be on the disk.
      if (index === 100) tracker.process.kill('SIGKILL')
    })
    await Promise.all(changes)
    await tracker.kill()
  }
  const last = world.run('last tracker', 'tracker', words)
  await last.until(/listening on/)
  expect(await last.kill('SIGTERM')).toEqual({ code: 0, signal: null })
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  const parsed = lines.map((line) => JSON.parse(line) as { position: number; what: string; group?: string })
  expect(parsed.map(({ position }) => position)).toEqual(lines.map((_, index) => index + 1))
  const groups = parsed.flatMap(({ group }) => group ?? [])
  expect(done.length).toBeGreaterThan(100)
  expect(groups).toEqual(expect.arrayContaining(done))
  expect(new Set(groups).size).toBe(groups.length)
})
