// Pasting, and looking for what was typed before, in a real pseudo terminal.

import { describe, expect, test } from 'vitest'
import { terminalPeople } from './terminal-people.ts'

const sitDown = terminalPeople()

const ctrlC = '\u0003'

describe('in a terminal', () => {
  test('several pasted lines run in their order, each with its reply, and the rest stays in the line', async () => {
    for (const [before, after] of [
      ['', ''],
      ['\u001B[200~', '\u001B[201~'],
    ] as const) {
      const person = sitDown()
      await person.see(/coterie>$/)
      person.type(`${before}create_group g1\rwhoami\rlist_files g${after}`)
      await person.see(/list_files g$/)
      expect(person.screen()).toEqual([
        'coterie> create_group g1',
        'group g1 created',
        'next: upload_file <path> g1',
        'coterie> whoami',
        'nobody is logged in',
        'coterie> list_files g',
      ])
    }
  })

  test('a tab at the end of a marked paste completes nothing', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('\u001B[200~create_g\t\u001B[201~x')
    await person.see(/create_g\s+x$/)
    expect(person.screen()).toHaveLength(1)
  })

  test('Ctrl-R finds what was typed before, further back at each, and Enter runs it', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('create_group g1\r')
    await person.see(/g1\ncoterie>$/)
    person.type('create_group g2\r')
    await person.see(/g2\ncoterie>$/)
    person.type('half')
    await person.see(/> half$/)
    person.type('\u0012')
    await person.see(/\(history\) :$/)
    person.type('group')
    await person.see(/\(history\) group: create_group g2$/)
    person.type('\u0012')
    await person.see(/\(history\) group: create_group g1$/)
    person.type(ctrlC)
    await person.see(/coterie> half$/)
    person.type('\u0012g1')
    await person.see(/\(history\) g1: create_group g1$/)
    person.type('\r')
    await person.see(/coterie> create_group g1\ngroup g1 created\n.*\ncoterie>$/)
    expect(person.screen().join('\n')).not.toContain('half')
  })
})
