// The prompt at a dumb terminal (`TERM=dumb`), such as a shell in an editor, in a real pseudo terminal. The system echoes
// what is typed; no control sequence may come out.

import { expect, test } from 'vitest'
import { terminalPeople } from './terminal-people.ts'

const sitUp = terminalPeople()

const ctrlC = '\u0003'
const ctrlD = '\u0004'
const backspace = '\u007F'

const sitDown = () => sitUp({ env: { TERM: 'dumb', FORCE_COLOR: '1' } })

/** What a terminal would obey begins with it. */
const escape = '\u001B'

test('a prompt is shown, commands run, and the line can be corrected', async () => {
  const person = sitDown()
  await person.see(/^coterie>$/)
  person.type(`create_groop${backspace.repeat(2)}up g1\r`)
  await person.see(/group g1 created\nnext: upload_file <path> g1\ncoterie>$/)
  person.type('login abc pw\r')
  await person.see(/logged in as abc\n[^]*\nabc>$/)
  person.type('quit\r')
  expect(await person.exit).toMatchObject({ exitCode: 0 })
  expect(person.output()).not.toContain(escape)
})

test('a password is typed without an echo, can be corrected, and what happens meanwhile is said afterwards', async () => {
  const person = sitDown()
  await person.see(/coterie>$/)
  person.type('create_user abc\r')
  await person.see(/password:$/)
  // Nor are keys taken for letters that are none.
  person.type(`qwertX${backspace}z\u001B[A\u001B[3~\r`)
  await person.see(/the same again:$/)
  person.signal('SIGUSR2')
  person.type(`forget this\u0015qwertz\r`)
  await person.see(/password:\nthe same again:\n[^]*user abc created\n/)
  await person.see(/def asks to join g1[^]*\ncoterie>$/)
  person.type('quit\r')
  await person.exit
  expect(person.screen().join('\n')).toContain('createUser("abc", "qwertz", )')
  const [typed] = person.output().split('passwords:')
  expect(typed).not.toMatch(/qwert|forget/)
  expect(person.output()).not.toContain(escape)
})

test('after a password the system echoes again', async () => {
  const person = sitDown()
  await person.see(/coterie>$/)
  person.type('login abc\r')
  await person.see(/password:$/)
  person.type('secret\r')
  await person.see(/logged in as abc[^]*abc>$/)
  person.type('who')
  await person.see(/abc> who$/)
  person.type('ami\r')
  await person.see(/abc> whoami\nabc\nabc>$/)
  expect(person.output()).not.toContain(escape)
})

test.each([
  ['Ctrl-C', ctrlC],
  ['Ctrl-D', ctrlD],
])('%s at a password takes the question back, and no more', async (_name, key) => {
  const person = sitDown()
  await person.see(/coterie>$/)
  person.type('login abc\r')
  await person.see(/password:$/)
  person.type(key)
  await person.see(/password:\ncancelled\ncoterie>$/)
  person.type('whoami\r')
  await person.see(/nobody is logged in\ncoterie>$/)
  expect(person.output()).not.toContain(escape)
})

test('an event in mid-word comes below it with a new prompt, and the word goes on', async () => {
  const person = sitDown()
  await person.see(/coterie>$/)
  person.type('create_gr')
  await person.see(/> create_gr$/)
  person.signal('SIGUSR2')
  await person.see(/> create_gr\ndef asks to join g1; to let them in: accept_request g1 def\ncoterie>$/)
  person.type('oup g9\r')
  await person.see(/group g9 created\n.*\ncoterie>$/)
  expect(person.output()).not.toContain(escape)
})

test('Ctrl-C ends what waits, warns at the prompt, and leaves the second time', async () => {
  const person = sitDown()
  await person.see(/coterie>$/)
  person.type('download_file g1 1.png x\r')
  await person.see(/downloading [^]*coterie>$/)
  person.type('watch endless film.mkv\r')
  await person.see(/\[endless\] film\.mkv: \d+ %/)
  person.type(ctrlC)
  await person.see(/\^C\n\[endless\] film\.mkv: [^]*\ncoterie>$/)
  person.type(`half a line${ctrlC}`)
  await person.see(/to leave, type quit or press Ctrl-C again\ncoterie>$/)
  person.type('whoami\r')
  await person.see(/nobody is logged in\ncoterie>$/)
  person.type(ctrlC)
  await person.see(/nobody is logged in\n[^]*press Ctrl-C again\ncoterie>$/)
  person.type(ctrlC)
  expect(await person.exit).toMatchObject({ exitCode: 0 })
  expect(person.output()).not.toContain(escape)
})

test('watch says now and then how a file gets on, and Ctrl-D leaves', async () => {
  const person = sitDown()
  await person.see(/coterie>$/)
  person.type('watch g1 film.mkv\r')
  await person.see(/\[g1\] film\.mkv: \d+ %, \d+ of 20971520 bytes/)
  person.signal('SIGUSR2')
  await person.see(/\[g1\] film\.mkv: 100 %[^]*coterie>$/)
  person.type('download_file g1 f there\r')
  await person.see(/downloading f [^]*coterie>$/)
  person.type(ctrlD)
  expect(await person.exit).toMatchObject({ exitCode: 0 })
  expect(person.screen().join('\n')).toContain('1 download stops here and goes on at your next login')
  expect(person.output()).not.toContain(escape)
})
