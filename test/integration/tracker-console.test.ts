// The tracker at a terminal of its own, in a real pseudo terminal: its prompt, its editing, and its log beside it.

import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Person } from '../client/prompt/person.ts'
import { Shell, ctrlZ } from '../tracker/support/shell.ts'
import type { Program } from './programs.ts'
import { World } from './world.ts'

const tracker = fileURLToPath(new URL('../../dist/tracker/main.js', import.meta.url))

const ctrlC = '\u0003'
const ctrlD = '\u0004'
const up = '\u001B[A'
const left = '\u001B[D'
const marksNoPastes = String.raw`\u001B\[\?2004l`

let world: World
beforeAll(() => {
  world = new World()
})
afterAll(() => world.close())

const people: Person[] = []
afterEach(() => people.splice(0).forEach((person) => person.kill()))

interface Place {
  readonly words?: readonly string[]
  /** A script of sh that runs `"$@"`. */
  readonly script?: string
}

/** A tracker at a terminal of 60 columns, with its prompt. */
async function sitDown(name: string, { words = [], script = 'exec "$@"' }: Place = {}): Promise<Person> {
  const given = ['127.0.0.1', '0', '--data-dir', world.path(name), ...words]
  const person = new Person('sh', ['-c', script, 'sh', process.execPath, tracker, ...given], {
    cwd: world.folder,
    columns: 60,
    env: { HOME: world.path('home'), NO_COLOR: '1' },
  })
  people.push(person)
  await person.see(/tracker 1 listening on 127\.0\.0\.1:\d+\ntracker 1>$/)
  return person
}

function clientOf(user: string, port: string): Program {
  const words = ['127.0.0.1', '0', '127.0.0.1', port, '--data-dir', world.path(user)]
  return world.run(user, 'client', words)
}

function portOf(person: Person): number {
  return Number(/listening on 127\.0\.0\.1:(\d+)/.exec(person.screen().join('\n'))?.[1])
}

test('has a prompt, line editing, a history without what may be a secret, and completion', async () => {
  const person = await sitDown('edited')
  person.type('sttus')
  await person.see(/tracker 1> sttus$/)
  person.type(`${left.repeat(3)}a\r`)
  await person.see(/tracker 1> status\nusers 0, groups 0,[^>]*\ntracker 1>$/)
  person.type('remove_usr ann secret\r')
  await person.see(/error: there is no command "remove_usr"; help lists the\n {4}commands\ntracker 1>$/)
  person.type(up)
  await person.see(/tracker 1> remove_usr$/)
  person.type(up)
  await person.see(/tracker 1> status$/)
  person.type(`${ctrlC}regi\t`)
  await person.see(/tracker 1> registration$/)
  person.type('cl\t')
  await person.see(/tracker 1> registration closed$/)
  person.type('\r')
  await person.see(/registration closed\ndone\ntracker 1>$/)
  person.type('re\t\t')
  await person.see(/revoke_tracker {2}registration {4}reset_password\nremove_user\ntracker 1> re$/)
  person.type(`${ctrlC}help\r`)
  await person.see(/help: list the commands\ntracker 1>$/)
  expect(person.brokenRows()).toEqual([])
  person.type('exit\r')
  expect(await person.exit).toMatchObject({ exitCode: 0 })
  expect(person.screen().at(-1)).toBe('tracker 1> exit')
})

test('Ctrl-D leaves it as it is, and Ctrl-C on an empty line ends it', async () => {
  const person = await sitDown('keys')
  person.type(ctrlD)
  await person.see(/type quit to end this tracker\ntracker 1>$/)
  person.type(`half of a line`)
  await person.see(/half of a line$/)
  person.type(ctrlC)
  await person.see(/\ntracker 1>$/)
  person.type('status\r')
  await person.see(/users 0[^>]*\ntracker 1>$/)
  person.type(ctrlC)
  expect(await person.exit).toMatchObject({ exitCode: 0 })
})

test('what it logs stands above the line that is typed', async () => {
  const person = await sitDown('logged', { words: ['--log-level', 'debug'] })
  person.type('sta')
  await person.see(/tracker 1> sta$/)
  const before = person.output().length
  const socket = connect(portOf(person), '127.0.0.1')
  await once(socket, 'connect')
  socket.write('nonsense\n')
  await person.until(() => person.output().slice(before).includes('"level":'))
  await person.see(/\}\ntracker 1> sta$/)
  socket.destroy()
  person.type('tus\r')
  await person.see(/users 0[^>]*\ntracker 1>$/)
  expect(person.screen().filter((row) => row.includes('tracker 1>'))).toHaveLength(2)
})

test('goes on when its terminal is closed, and does nothing of the line that was half typed', async () => {
  // The hang-up is for the shell in front of it, which ignores it.
  const script = `trap '' HUP; sh -c 'echo $$ > pid; exec "$@"' sh "$@"; :`
  const person = await sitDown('closed', { script })
  const pid = Number(readFileSync(world.path('pid'), 'utf8'))
  const port = String(portOf(person))
  try {
    person.type('quit')
    await person.see(/tracker 1> quit$/)
    person.hangUp()
    const client = clientOf('eve', port)
    await client.does('create_user eve secret', 'login eve secret')
    expect(await client.say('create_group g')).toBe('group g created')
  } finally {
    // Nothing else ends it.
    process.kill(pid, 'SIGKILL')
  }
})

test('stops and goes on at a shell with the line as it was, and leaves the terminal to others meanwhile', async () => {
  const shell = await Shell.start({ HOME: world.path('home') })
  const words = ['127.0.0.1', '0', '--data-dir', world.path('stopped')].join(' ')
  shell.type(`TERM=xterm NO_COLOR=1 '${process.execPath}' '${tracker}' ${words}\n`)
  const port = (await shell.see(/listening on 127\.0\.0\.1:\d+/)).split(':')[1] ?? ''
  for (let round = 0; round < 3; round++) {
    await shell.see(/tracker 1> /)
    shell.type('sta')
    await shell.see(/sta/)
    shell.type(ctrlZ)
    // This shell resets the modes by itself, but not whether pastes are marked.
    await shell.see(new RegExp(`${marksNoPastes}[^$]*Stopped[^$]*\\$ `))
    shell.type('bg\n')
    await shell.answer()
    // The system edits and echoes: the modes are those of the shell.
    shell.type('stty -a | grep -o -w -e -icanon -e icanon -e echo\n')
    await shell.see(/\r\nicanon\r\necho\r\n/)
    expect(await shell.job()).toBe('Running')
    await clientOf(`ann${round}`, port).does(`create_user ann${round} secret`)
    shell.type('fg\n')
    await shell.see(/tracker 1> sta/)
    shell.type('tus\r')
    await shell.see(new RegExp(`users ${round + 1},`))
  }
  shell.type('quit\r')
  await shell.see(/\$ $/)
  shell.type('stty -a | grep -o -w -e -icanon -e icanon -e echo\n')
  await shell.see(/\r\nicanon\r\necho\r\n/)
})

test('started in the background of a shell it has its prompt after fg', async () => {
  const shell = await Shell.start({ HOME: world.path('home') })
  const words = ['127.0.0.1', '0', '--data-dir', world.path('behind')].join(' ')
  shell.type(`TERM=xterm NO_COLOR=1 '${process.execPath}' '${tracker}' ${words} &\n`)
  await shell.see(/listening on 127\.0\.0\.1:\d+/)
  await shell.answer()
  expect(await shell.job()).toBe('Running')
  shell.type('fg\n')
  await shell.see(/tracker 1> /)
  shell.type('quit\r')
  await shell.see(/\$ $/)
})
