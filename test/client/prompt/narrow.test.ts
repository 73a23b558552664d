// A terminal of 40 columns, with characters that take two columns or none: what is typed, edited and drawn anew stays
// readable, wherever lines are broken. In a real pseudo terminal; the screen is compared as a person sees it.

import { expect, test } from 'vitest'
import { allCommands } from '../../../src/client/prompt/commands/program.ts'
import { terminalPeople } from './terminal-people.ts'

const sitDown = terminalPeople()

const left = '\u001B[D'
const right = '\u001B[C'
const backspace = '\u007F'
const deletes = '\u001B[3~'
const end = '\u0005'

/** A person at 40 columns, without colours. */
async function narrow() {
  const person = sitDown({ columns: 40, env: { NO_COLOR: '1' } })
  await person.see(/coterie>$/)
  return person
}

/** Text as a pattern. */
function literally(text: string): string {
  return text.replaceAll(/[[\](){}.*+?^$|\\]/g, '\\$&')
}

const event = ['def asks to join g1; to let them in: acc', 'ept_request g1 def']

test('wide and combining characters are edited in the middle of a line that goes over several rows', async () => {
  const person = await narrow()
  // 9 columns of prompt, 13 of the command, 17 of these: the last wide one finds one column left.
  const typed = 'create_group 写真写真写真写真f日cafe\u0301😀_end'
  for (const character of new Intl.Segmenter().segment(typed)) person.type(character.segment)
  const rows = ['coterie> create_group 写真写真写真写真f', '日cafe\u0301😀_end']
  await person.see(new RegExp(`^${rows.join('\n')}$`))
  person.type(left.repeat(4) + backspace)
  await person.see(/\n日cafe\u0301_end$/)
  // The letter goes with its accent.
  person.type(backspace)
  await person.see(/\n日caf_end$/)
  person.type('fe\u0301')
  await person.see(/\n日caffe\u0301_end$/)
  person.type(left + left + 'X')
  await person.see(/\n日cafXfe\u0301_end$/)
  // Back over the break of the rows, where every wide one is a step.
  person.type(left.repeat(6) + '手')
  await person.see(/写真写真写真写真手\nf日cafXfe\u0301_end$/)
  person.type(right + right + deletes + deletes)
  await person.see(/写真写真写真写真手\nf日fXfe\u0301_end$/)
  await person.seeCursor(1, 3)
  person.type(`${end}\r`)
  await person.see(/next:[^]*coterie>$/)
  expect(person.screen().join('')).toContain('group 写真写真写真写真手f日fXfe\u0301_end created')
})

test('an event in mid-word leaves such a line as it was, without blank rows, wherever the cursor is', async () => {
  const person = await narrow()
  const typed = 'create_group 写真写真写真写真f日cafe\u0301😀 and a word that reaches a third row'
  person.type(typed)
  const rows = [
    'coterie> create_group 写真写真写真写真f',
    '日cafe\u0301😀 and a word that reaches a third',
    ' row',
  ]
  await person.see(new RegExp(`^${rows.join('\n')}$`))
  const seen: string[] = []
  // In the third row, in the second, in the first.
  for (const steps of [1, 20, 30]) {
    person.type(left.repeat(steps))
    await person.knock()
    seen.push(...event)
    await person.see(new RegExp(`^${literally([...seen, ...rows].join('\n'))}$`))
  }
  person.type('Y')
  await person.see(/create_group Y写/)
  expect(person.screen().slice(0, seen.length)).toEqual(seen)
})

test('a line that fills its row exactly gets the next one, and an event leaves no blank row', async () => {
  const person = await narrow()
  person.type('whoami 1234567890123456789012a4')
  await person.see(/2a4$/)
  await person.seeCursor(1, 0)
  await person.knock()
  await person.see(/request g1 def\ncoterie> whoami 1234567890123456789012a4$/)
  expect(person.screen().slice(0, 3)).toEqual([...event, 'coterie> whoami 1234567890123456789012a4'])
  person.type(backspace)
  await person.see(/9012a$/)
  expect(person.screen().slice(0, 3)).toEqual([...event, 'coterie> whoami 1234567890123456789012a'])
})

test('a resize while a line is typed draws it once, at any width, and the cursor stays', async () => {
  const person = sitDown({ columns: 100, env: { NO_COLOR: '1' } })
  await person.see(/coterie>$/)
  person.type('nonsense\r')
  await person.see(/lists the commands\ncoterie>$/)
  const before = ['coterie> nonsense', 'error: unknown command "nonsense"; help lists the commands']
  const typed = 'coterie> create_group 写真写真写真写真f日cafe\u0301😀 and a word that reaches a third row'
  person.type(typed.slice('coterie> '.length))
  await person.see(/third row$/)
  person.type(`${left.repeat('third row'.length)}!`)
  await person.see(/a !third row$/)
  person.type(backspace)
  /** Resolves when these lines are on the screen, wherever they are broken. */
  const text = (lines: readonly string[]): string => lines.join('').replaceAll(' ', '')
  const see = (line: string): Promise<void> =>
    person.until(
      () => text(person.screen()) === text([...before, line]) && text(person.afterCursor()) === 'thirdrow',
    )
  await see(typed)
  for (const width of [40, 23, 60, 100, 37, 100]) {
    person.resize(width)
    // It is drawn anew.
    await person.more()
    person.type('!')
    await see(typed.replace('third', '!third'))
    person.type(backspace)
    await see(typed)
  }
  expect(person.screen()).toEqual([...before, typed])
  person.type('Z')
  await person.see(/reaches a Zthird row$/)
})

test('Ctrl-Z and fg leave a line of several rows as it was, and what the shell has said', async () => {
  const person = sitDown({ columns: 40, env: { NO_COLOR: '1' }, shell: true })
  await person.see(/coterie>$/)
  const rows = ['coterie> create_group 写真写真写真写真f', '日cafe\u0301😀_end']
  person.type('create_group 写真写真写真写真f日cafe\u0301😀_end')
  await person.see(new RegExp(`${rows.join('\n')}$`))
  person.type('\u001A')
  await person.see(new RegExp(`stopped\n[^]*program\\.mjs[^]*\n${rows.join('\n')}$`))
  person.type(`${left.repeat(4)}X${end}\r`)
  await person.see(/next: [^]*\ncoterie>$/)
  expect(person.screen().join('')).toContain('group 写真写真写真写真f日cafe\u0301😀X_end created')
})

test('help and tables are broken between words, or cut', async () => {
  const person = sitDown({ columns: 40, env: { NO_COLOR: '1', BUSY: 'yes' } })
  await person.see(/coterie>$/)
  for (const [line, last] of [
    ['help', 'explains one command.'],
    ...allCommands.map(({ name, summary }) => [`help ${name}`, summary] as const),
    ['list_groups', 'you are the owner'],
    ['list_files family', '12 seeders'],
    ['show_downloads', '[C]'],
    ['show_downloads --details', '1 from abc@127.0.0.1:4444'],
    ['show_uploads', 'ben@10.20.30.40'],
    ['limit', 'limited to 1K bytes a second'],
    ['why family', 'goes on by itself then'],
    ['doctor', 'timedatectl set-ntp true for example'],
  ] as const) {
    person.type('clear\r')
    await person.see(/^coterie>$/)
    person.type(`${line}\r`)
    await person.see(new RegExp(`^coterie> ${line}\\n[^]+\\ncoterie>$`))
    expect(person.screen().join(' ').replaceAll(/ +/g, ' ')).toContain(last)
    expect([line, person.brokenRows()]).toEqual([line, []])
  }
})

test('what watch leaves behind fits the terminal, too', async () => {
  const person = await narrow()
  person.type('watch endless film.mkv\r')
  await person.see(/leaves; transfers go on$/)
  person.type('q')
  await person.see(/\ncoterie>$/)
  // A row that is full goes on in the next one.
  expect(person.screen().filter((row) => row.length >= 40)).toEqual([])
})
