// Lines above the prompt that renew themselves, in a real pseudo terminal: `watch`, and a bar while a file is hashed.

import { expect, test } from 'vitest'
import { terminalPeople } from './terminal-people.ts'

const sitDown = terminalPeople()
const ctrlC = '\u0003'

test('watch shows a file anew each second, events stand above it, and q leaves it', async () => {
  const person = sitDown()
  await person.see(/coterie>$/)
  person.type('watch endless film.mkv\r')
  await person.see(
    /^film\.mkv in g?.*20\.0 MiB: downloading$[^]*█ here 3 .*[^]*q or Ctrl-C leaves; transfers go on$/m,
  )
  await person.knock()
  await person.see(/^coterie> watch endless film\.mkv\ndef asks to join g1.*\nfilm\.mkv in /)
  person.type('whoami\rq')
  await person.see(/coterie>$/)
  // What was typed meanwhile is no command, and the last view stays.
  expect(person.screen().join('\n')).not.toMatch(/nobody is logged in|q or Ctrl-C/)
  expect(person.screen().filter((line) => line.startsWith('film.mkv in '))).toHaveLength(1)
  person.type('whoami\r')
  await person.see(/nobody is logged in\ncoterie>$/)
})

test('watch ends by itself when the file is complete, and Ctrl-C leaves it too', async () => {
  const person = sitDown()
  await person.see(/coterie>$/)
  person.type('watch endless film.mkv\r')
  await person.see(/q or Ctrl-C/)
  person.type(ctrlC)
  await person.see(/coterie>$/)
  person.type('watch g1 film.mkv\r')
  await person.see(/q or Ctrl-C/)
  await person.knock()
  await person.see(/film\.mkv in g1, 20\.0 MiB: shared from here\n[^]*has all of it: abc\ncoterie>$/)
  expect(person.screen().join('\n')).not.toContain('q or Ctrl-C')
})

test('watch is drawn anew for a terminal that was made narrower, or wider, and nothing of it is left over', async () => {
  const person = sitDown()
  await person.see(/coterie>$/)
  person.type('watch endless film.mkv\r')
  await person.see(/nowhere 0 {2}of 40 pieces\n/)
  for (const [width, legend] of [
    [40, /coming \d+ .*…\n/],
    [100, /nowhere 0 {2}of 40 pieces\n/],
    [55, /…\n/],
  ] as const) {
    person.resize(width)
    await person.more()
    await person.see(
      new RegExp(
        `^coterie> watch endless film\\.mkv\nfilm\\.mkv in [^]*${legend.source}[^]*leaves; transfers go on$`,
      ),
    )
    const text = person.screen().join('\n')
    for (const line of [/film\.mkv in /g, /░{5} /g, /█ here/g, /no peers are/g, /q or Ctrl-C/g])
      expect([line, text.match(line)?.length]).toEqual([line, 1])
  }
  person.type('q')
  await person.see(/coterie>$/)
})

test('without colours the view says the same', async () => {
  const person = sitDown({ env: { NO_COLOR: '1' } })
  await person.see(/coterie>$/)
  person.type('watch endless film.mkv\r')
  await person.see(/q or Ctrl-C/)
  // eslint-disable-next-line no-control-regex
  expect(person.output()).not.toMatch(/\u001b\[\d+m/)
})

test('a file that is being hashed has a bar above the prompt, where something else can be typed', async () => {
  const person = sitDown()
  await person.see(/coterie>$/)
  person.type('upload_file long g1\r')
  await person.see(/\[H\] \[g1\] long {2}█+░+ {3}25 % {2}hashing {2}1 KiB\/s {2}3 s left\ncoterie>$/)
  person.type('who')
  await person.see(/3 s left\ncoterie> who$/)
  person.type('ami\r')
  await person.see(/nobody is logged in\n\[H\].*\ncoterie>$/)
  await person.knock()
  await person.see(/sharing long in g1[^\n]*\n[^\n]*\ncoterie>$/)
  expect(person.screen().join('\n')).not.toContain('[H]')
})

test('what a second Tab lists stands above the bar, and the bar is there once, below what is typed later too', async () => {
  const person = sitDown()
  await person.see(/coterie>$/)
  person.type('upload_file long g1\r')
  await person.see(/3 s left\ncoterie>$/)
  person.type('create_')
  await person.see(/coterie> create_$/)
  person.type('\t\t')
  await person.see(/\ncreate_user {3}create_group\n\[H\] [^\n]*3 s left\ncoterie> create_$/)
  // The next look at it draws it again.
  await person.more()
  await person.see(/\ncreate_user {3}create_group\n\[H\] [^\n]*3 s left\ncoterie> create_$/)
  expect(person.screen().filter((line) => line.includes('[H]'))).toHaveLength(1)
  person.type(ctrlC)
  await person.see(/3 s left\ncoterie>$/)
  person.type('whoami\r')
  await person.see(/create_group\ncoterie> whoami\nnobody is logged in\n\[H\] [^\n]*3 s left\ncoterie>$/)
})

test.each(['quit\r', '\u0004'])('%j says who is still fetching, and does not wait', async (typed) => {
  const upload = {
    group: 'g1',
    name: 'film.mkv',
    peer: 'ben@10.0.0.2',
    sentBytes: 1,
    pieces: 1,
    pieceCount: 2,
  }
  const uploads = ['ben', 'cem'].map((user) => ({ ...upload, user, bytesPerSecond: 1 }))
  const person = sitDown({ env: { UPLOADS: JSON.stringify(uploads) } })
  await person.see(/coterie>$/)
  person.type(typed)
  await person.exit
  expect(person.screen()).toContain(
    'ben and cem were still fetching film.mkv; they get the rest from others, or when you log in again',
  )
})
