// What programs say of a Node that gets no fixes any more: to people, and never where a script reads.

import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { whyNewerNode } from '../../src/common/node-version.ts'
import { Person } from '../client/prompt/person.ts'
import { World } from './world.ts'

const sentence = whyNewerNode(process.versions.node, new Date().toISOString()) ?? ''

let world: World
beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

function sitDown(program: 'client' | 'tracker', words: readonly string[]): Person {
  const main = fileURLToPath(new URL(`../../dist/${program}/main.js`, import.meta.url))
  const env = { HOME: world.path('home'), XDG_DATA_HOME: world.path('home', 'data'), TERM: 'xterm-256color' }
  return new Person(process.execPath, [main, ...words], { cwd: world.folder, env })
}

describe.skipIf(sentence === '')('on a Node without fixes (skipped: this one gets them)', () => {
  test('both programs say so once to a person at a terminal', async () => {
    const toTracker = ['127.0.0.1', String(world.trackerPort)]
    const ann = sitDown('client', ['127.0.0.1', '0', ...toTracker, '--data-dir', world.path('ann')])
    await ann.see(/help lists the commands\nNode\.js \d+ gets no security fixes any more; install 24\n/)
    expect(
      ann
        .screen()
        .join('\n')
        .match(/security fixes/g),
    ).toHaveLength(1)
    ann.kill()
    const operator = sitDown('tracker', ['127.0.0.1', '0', '--memory'])
    await operator.see(/^Node\.js \d+ gets no security fixes any more; install 24\ntracker 1 listening on /)
    operator.kill()
  })

  test('both say so once in the journal of systemd', async () => {
    for (const [what, words] of [
      ['client', ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort), '--data-dir', world.path('cid')]],
      ['tracker', ['127.0.0.1', '0', '--memory', '--log-level', 'warn']],
    ] as const) {
      const journal = world.path(`${what}.journal`)
      writeFileSync(journal, '')
      const { dev, ino } = statSync(journal)
      const toJournal = ['/bin/sh', '-c', `exec "$0" "$@" 2>>'${journal}'`, process.execPath]
      const env = { JOURNAL_STREAM: `${dev}:${ino}` }
      const program = world.run(what, what, words, { through: toJournal, env })
      if (what === 'client') program.write('help')
      await program.until(what === 'client' ? /commands/i : /^tracker 1 listening on /)
      expect([what, readFileSync(journal, 'utf8').split(sentence).length]).toEqual([what, 2])
    }
  })

  test('neither says anything of it to a script', async () => {
    const ben = world.client('ben', { words: ['-e', 'help', '--json'] })
    await ben.ended()
    for (const { lines, stderr } of [ben, world.tracker])
      expect([...lines, stderr].join('\n')).not.toContain('security fixes')
  })
})
