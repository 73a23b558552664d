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
    // It may come in pieces.
    person.type('\u001B[200~create_g\t')
    await person.see(/create_g/)
    person.type('\u001B[201~x')
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

  test('an owner is asked before a group is handed on, and Ctrl-D takes the question back only', async () => {
    const person = sitDown({ env: { OWNS: 'yes' } })
    await person.see(/coterie>$/)
    for (const [answer, reply] of [
      ['\u0004', 'cancelled'],
      ['n\r', 'cancelled'],
      ['y\r', 'left mine'],
    ] as const) {
      person.type('leave_group mine\r')
      await person.see(/another member will become its owner; leave it\? \(y\/n\)$/)
      person.type(answer)
      await person.see(new RegExp(`${reply}\n(.*\n)?coterie>$`))
    }
    expect(person.screen().join('\n')).not.toContain('bye')
  })

  test('a login tells an owner who has asked to join meanwhile', async () => {
    const person = sitDown({ env: { OWNS: 'yes' } })
    await person.see(/coterie>$/)
    person.type('login ann pw\r')
    await person.see(
      /logged in as ann\nben, carl ask to join mine; to let them in: accept_request mine <user>\nann>$/,
    )
    expect(person.screen()).toHaveLength(4)
  })

  test('Ctrl-D in the middle of a download says what becomes of it', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('download_file g1 f there\r')
    await person.see(/downloading f [^]*coterie>$/)
    person.type('\u0004')
    expect(await person.exit).toMatchObject({ exitCode: 0 })
    expect(person.screen().join('\n')).toContain('1 download stops here and goes on at your next login')
  })

  test('a name that cannot be is refused before a password is asked for', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('create_user "a b"\r')
    await person.see(/error: [^]*coterie>$/)
    expect(person.output()).not.toContain('password')
  })

  test('who has to log in first is told how', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('change_password\r')
    await person.see(/error: log in first\nnext: login <user>, or create_user <user>\ncoterie>$/)
    expect(person.output()).not.toContain('old password')
  })

  test('clear empties the screen', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('nonsense\r')
    await person.see(/error/)
    person.type('clear\r')
    await person.see(/^coterie>$/)
    expect(person.screen()).toEqual(['coterie>'])
  })
})
