// The prompt of a person, in a real pseudo terminal. Nothing sleeps: every step waits for its output.

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryFolder } from '../temporary-folder.ts'
import { terminalPeople } from './terminal-people.ts'

const sitDown = terminalPeople()

const ctrlC = '\u0003'
const ctrlD = '\u0004'

describe('in a terminal', () => {
  test('the prompt shows the user, and hints say what may be done next', async () => {
    const person = sitDown()
    await person.see(/^coterie>$/)
    person.type('create_user abc pw\r')
    await person.see(/next: login abc\ncoterie>$/)
    person.type('login abc pw\r')
    await person.see(/abc>$/)
    person.type('nonsense\r')
    await person.see(/error: .*\nabc>$/)
    person.type('quit\r')
    expect(await person.exit).toMatchObject({ exitCode: 0 })
    expect(person.screen().slice(0, 10)).toEqual([
      'coterie> create_user abc pw',
      'user abc created',
      'warning: this password is easy to guess; set one of 8 characters or more with change_password',
      'next: login abc',
      'coterie> login abc pw',
      'logged in as abc',
      'next: create_group <group>, or list_groups and join_group <group>',
      'abc> nonsense',
      'error: unknown command "nonsense"; help lists the commands',
      'abc> quit',
    ])
  })

  test('a password that is asked for is not seen, nor remembered', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('create_user abc\r')
    await person.see(/password:$/)
    person.type('secret\r')
    await person.see(/the same again:$/)
    person.type('secret\r')
    await person.see(/coterie>$/)
    person.type('login abc\r')
    await person.see(/password:$/)
    await person.knock()
    person.type('secret\r')
    await person.see(/def asks to join g1.*\n(.*\n)?abc>$/)
    person.type('\u001b[A')
    await person.see(/abc> login abc$/)
    expect(person.output()).not.toContain('secret')
    person.type(ctrlC + ctrlD)
    await person.exit
    expect(person.screen().join('\n')).toContain(
      'createUser("abc", "secret", ) login("abc", "secret", false)',
    )
  })

  test('what was typed in an earlier run is there again, without the password that stood in it', async () => {
    const env = { HISTORY_FILE: join(temporaryFolder(), 'history') }
    const first = sitDown({ env })
    await first.see(/coterie>$/)
    first.type('login abc secret\r')
    await first.see(/abc>$/)
    first.type('list_groups\r')
    await first.see(/no groups yet\nabc>$/)
    first.type('quit\r')
    await first.exit
    const second = sitDown({ env })
    await second.see(/coterie>$/)
    const up = '\u001B[A'
    second.type(`${up}${up}`)
    await second.see(/coterie> list_groups$/)
    second.type(up)
    await second.see(/coterie> login abc$/)
    expect(second.output()).not.toContain('secret')
  })

  test('two passwords that differ are refused, and Ctrl-C takes the question back', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('create_user abc\r')
    await person.see(/password:$/)
    person.type('qwert\r')
    await person.see(/again:$/)
    person.type('zuiop\r')
    await person.see(/error: the two passwords are not the same; try again\ncoterie>$/)
    person.type('login abc\r')
    await person.see(/password:$/)
    person.type(`asdf${ctrlC}`)
    await person.see(/password:\ncancelled\ncoterie>$/)
    person.type('whoami\r')
    await person.see(/nobody is logged in\ncoterie>$/)
    expect(person.output()).not.toMatch(/qwert|zuiop|asdf/)
  })

  test('an event leaves what is being typed as it was', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('create_gr')
    await person.see(/create_gr$/)
    await person.knock()
    await person.see(/accept_request g1 def\ncoterie> create_gr$/)
    person.type('oup g9\r')
    await person.see(/group g9 created\n.*\ncoterie>$/)
    expect(person.screen().slice(0, 2)).toEqual([
      'def asks to join g1; to let them in: accept_request g1 def',
      'coterie> create_group g9',
    ])
  })

  test('an event leaves a line as it was that goes over several rows, wherever the cursor is', async () => {
    const person = sitDown({ columns: 20 })
    await person.see(/coterie>$/)
    const typed = 'create_group a23456789b23456789c2'
    // Key by key: readline draws a pasted line in another way.
    let pattern = ''
    for (const key of typed) {
      person.type(key)
      pattern += `${key}\\n?`
      if (key !== ' ') await person.see(new RegExp(`> ${pattern}$`))
    }
    person.type('\u001b[D'.repeat(16))
    person.type('x')
    await person.see(/a234x56789/)
    for (const events of [1, 2]) {
      await person.knock()
      await person.see(new RegExp(`(def asks[^>]*){${events}}coterie> [^>]*c2$`))
    }
    person.type('\u007f')
    await person.see(/a23456789b\d*\nc2$/)
    person.type('\r')
    await person.see(/created[^]*coterie>$/)
    const notice = 'def asks to join g1; to let them in: accept_request g1 def'
    const text = person.screen().join('')
    expect(text.slice(0, text.indexOf('next:'))).toBe(
      `${notice}${notice}coterie> ${typed}group ${typed.slice(13)} created`,
    )
  })

  test('a paste lands at the cursor, and a tab in it completes nothing', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('create_group g1')
    await person.see(/g1$/)
    person.type('\u001b[D'.repeat(2))
    person.type('a\tb c')
    await person.see(/^coterie> create_group a\s+b cg1$/)
    person.type('\u0001')
    person.type('whoami\rupload_file x ')
    await person.see(/whoamicreate_group[^]*coterie> upload_file x$/)
    expect(person.screen()[1]).toMatch(/^error: unknown command "whoamicreate_group"/)
  })

  test('an event over a pasted line of several rows leaves no empty rows', async () => {
    const person = sitDown({ columns: 20 })
    await person.see(/coterie>$/)
    const typed = 'create_group a23456789b23456789c23456789d2'
    person.type(typed)
    await person.see(/d2$/)
    await person.knock()
    await person.see(/request g1 def\n[^]*d2$/)
    expect(person.screen()).toEqual([
      'def asks to join g1;',
      ' to let them in: acc',
      'ept_request g1 def',
      'coterie> create_grou',
      'p a23456789b23456789',
      'c23456789d2',
    ])
  })

  test('an upload that takes long goes on in the background', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('upload_file long g1\r')
    await person.see(
      /upload_file long takes a while; its reply comes when it is done; to end it: stop_share g1 long\ncoterie>$/,
    )
    person.type('create_group slow\r')
    await person.see(/sharing long in g1 \(1 B, 1 piece\)\n.*\ncoterie>$/)
    expect(person.screen()).toContain('group slow created')
  })

  test('a reply from the background waits while a password is typed', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('upload_file long g1\rlogin abc\r')
    await person.see(/password:$/)
    await person.knock()
    person.type('secret\r')
    await person.see(/sharing long in g1[^]*abc>$/)
    expect(person.output()).not.toContain('secret')
  })

  test('show_downloads is a table with a bar, the rate, the time left and the peers', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('download_file g1 1.png x\rshow_downloads\r')
    await person.see(/peer\ncoterie>$/)
    expect(person.screen()).toContain(
      `[D] [g1] 1.png  ${'█'.repeat(12)}${'░'.repeat(12)}   50 %  3.0 MiB/s  1 s left  1 peer`,
    )
  })

  test('leaving a group with a running download is refused, and Ctrl-C ends a wait', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('download_file g1 1.png x\rleave_group g1\r')
    await person.see(
      /error: 1\.png is still downloading; wait for it, or give it up: cancel_download g1 1\.png\ncoterie>$/,
    )
    person.type('wait\r')
    await person.see(/coterie> wait$/)
    person.type(ctrlC)
    await person.see(/downloads go on\ncoterie>$/)
    expect(person.screen().at(-2)).toBe('stopped waiting; downloads go on')
  })

  test('Ctrl-C clears the line, warns on an empty one, and quits the second time', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('some words')
    await person.see(/some words$/)
    person.type(ctrlC)
    await person.see(/coterie>$/)
    person.type(ctrlC)
    await person.see(/to leave, type quit or press Ctrl-C again\ncoterie>$/)
    person.type(ctrlC)
    expect(await person.exit).toMatchObject({ exitCode: 0 })
  })

  test('Ctrl-D quits', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type(ctrlD)
    expect(await person.exit).toMatchObject({ exitCode: 0 })
  })

  test('colour marks errors, unless NO_COLOR is set', async () => {
    for (const [env, error] of [
      [{}, '\u001b[31merror:\u001b[39m unknown'],
      [{ NO_COLOR: '1' }, 'error: unknown'],
    ] as const) {
      const person = sitDown({ env })
      await person.see(/coterie>$/)
      person.type('nonsense\r')
      await person.see(/commands\ncoterie>$/)
      expect(person.output()).toContain(error)
      expect(person.output().includes('\u001b[31m')).toBe(!('NO_COLOR' in env))
    }
  })

  test.each(['prompt', 'password'])('Ctrl-Z and fg leave the %s as it was', async (where) => {
    const person = sitDown({ shell: true })
    await person.see(/coterie>$/)
    person.type(where === 'prompt' ? 'create_gr' : 'login abc\r')
    await person.see(where === 'prompt' ? /create_gr$/ : /password:$/)
    if (where === 'password') person.type('sec')
    person.type('\u001a')
    await person.see(where === 'prompt' ? /stopped\n[^]*coterie> create_gr$/ : /stopped\n[^]*password:$/)
    person.type(where === 'prompt' ? 'oup g1\r' : 'ret\r')
    await person.see(where === 'prompt' ? /group g1 created\n.*\ncoterie>$/ : /logged in as abc\n[^]*abc>$/)
    person.type(`${ctrlC}${ctrlD}`)
    await person.see(/over$/)
    const [typed = '', told] = person.output().split('passwords:')
    expect(typed).not.toContain('sec')
    if (where === 'password') expect(told).toContain('login("abc", "secret", false)')
  })

  test('tab completes the name of a command', async () => {
    const person = sitDown()
    await person.see(/coterie>$/)
    person.type('create_g')
    await person.see(/create_g$/)
    person.type('\t')
    await person.see(/create_group$/)
    person.type('g1\r')
    await person.see(/group g1 created\n.*\ncoterie>$/)
    expect(person.screen()[0]).toBe('coterie> create_group g1')
  })
})
