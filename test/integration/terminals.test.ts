// Several people's terminals at one client, in real pseudo terminals, while one of them is killed or closed.

import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Person } from '../client/prompt/person.ts'
import { World } from './world.ts'

const client = fileURLToPath(new URL('../../dist/client/main.js', import.meta.url))

let world: World
beforeAll(async () => {
  world = await World.make()
})
afterAll(() => world.close())

const people: Person[] = []
afterEach(() => people.splice(0).forEach((person) => person.kill()))

/** One more terminal of this user's client; the first one runs it. */
async function sitDown(name: string, term = 'xterm-256color'): Promise<Person> {
  const words = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort), '--data-dir', world.path(name)]
  const home = { HOME: world.path('home'), XDG_DATA_HOME: world.path('home', 'data'), TERM: term }
  const person = new Person(process.execPath, [client, ...words], { cwd: world.folder, env: home })
  people.push(person)
  // The first one says a moment later that a tracker answers.
  await person.see(/(tracker \S+ answers|another terminal of the client on [^\n]+)\n[^]*>$/)
  return person
}

/** Two terminals of a client whose user is logged in and owns a group. */
async function two(name: string): Promise<[first: Person, second: Person]> {
  await world.account(name)
  const first = await sitDown(name)
  first.type(`login ${name} secret\r`)
  await first.see(new RegExp(`logged in as ${name}\n[^]*${name}>$`))
  first.type(`create_group ${name}-1\r`)
  await first.see(new RegExp(`group ${name}-1 created\n[^]*${name}>$`))
  const second = await sitDown(name)
  await second.see(
    new RegExp(`another terminal of the client on 127\\.0\\.0\\.1:0; [^\\n]+\n([^]*\n)?${name}>$`),
  )
  return [first, second]
}

test('one that is killed leaves the client, the other terminal and the way in for a third', async () => {
  const [first, second] = await two('ann')
  const ben = await world.user('ben')
  first.type('list_mem')
  await first.see(/list_mem$/)
  second.type('half of a line')
  await second.see(/half of a line$/)
  second.kill()
  expect(await second.exit).toMatchObject({ signal: 9 })
  await ben.does('join_group ann-1')
  await first.see(/ben asks to join ann-1; to let them in: accept_request ann-1 ben\nann> list_mem$/)
  first.type('bers ann-1\r')
  await first.see(/ann> list_members ann-1\nann\nann>$/)
  const third = await sitDown('ann')
  await third.see(/ben asks to join ann-1; to let them in: accept_request ann-1 ben\nann>$/)
  third.type('accept_request ann-1 ben\r')
  await third.see(/ben is now a member of ann-1\nann>$/)
  third.type('quit\r')
  expect(await third.exit).toMatchObject({ exitCode: 0 })
  first.type('quit\r')
  expect(await first.exit).toMatchObject({ exitCode: 0 })
  // The folder is free: this one is the client itself.
  const next = await sitDown('ann')
  await next.see(/^help lists the commands\n([^]*\n)?coterie>$/)
})

test.each([
  ['closed', 'SIGHUP'],
  ['killed', 'SIGKILL'],
] as const)(
  'when the first is %s, so ends the client: the other says so, and the folder is free',
  async (how, signal) => {
    const name = `cem-${how}`
    const [first, second] = await two(name)
    second.type('half of a line')
    await second.see(/half of a line$/)
    first.signal(signal)
    await first.exit
    expect(await second.exit).toMatchObject({ exitCode: 1 })
    expect(second.screen().join('\n')).toMatch(/half of a line\nerror: the client that ran here has ended$/)
    const next = await sitDown(name)
    await next.see(/^help lists the commands\n([^]*\n)?coterie>$/)
  },
)

test('a password that is typed in one terminal survives what happens in the other', async () => {
  const [first, second] = await two('dora')
  second.type('change_password\r')
  await second.see(/old password:$/)
  second.type('sec')
  first.type('create_group dora-2\r')
  await first.see(/group dora-2 created/)
  const eve = await world.user('eve')
  await eve.does('join_group dora-2')
  await first.see(/eve asks to join dora-2/)
  second.type('ret\r')
  await second.see(/old password:\n(eve asks to join dora-2.*\n)?new password:$/)
  second.type('longer secret\r')
  await second.see(/the same again:$/)
  second.type('longer secret\r')
  await second.see(/password of dora changed\n[^]*dora>$/)
  expect(second.screen().join('\n')).toContain('eve asks to join dora-2')
  expect(second.output()).not.toMatch(/sec|longer/)
})

test('dumb ones are terminals too: of the client that they run, and of one that runs', async () => {
  await world.account('hal')
  const first = await sitDown('hal', 'dumb')
  first.type('login hal\r')
  await first.see(/password:$/)
  first.type('secret\r')
  await first.see(/password:\nlogged in as hal\n[^]*hal>$/)
  const second = await sitDown('hal', 'dumb')
  await second.see(/another terminal of the client on 127\.0\.0\.1:0; [^\n]+\n([^]*\n)?hal>$/)
  second.type('events\r')
  first.type('create_group hal-1\r')
  await first.see(/group hal-1 created/)
  const ida = await world.user('ida')
  await ida.does('join_group hal-1')
  for (const each of [first, second]) await each.see(/ida asks to join hal-1/)
  // Its prompt does not come again: events goes on until Ctrl-C.
  second.type('\u0003')
  await second.see(/stopped following events\nhal>$/)
  first.type('\u0003')
  await first.see(/to leave, type quit or press Ctrl-C again\nhal>$/)
  first.type('\u0003')
  expect(await first.exit).toMatchObject({ exitCode: 0 })
  expect(await second.exit).toMatchObject({ exitCode: 1 })
  for (const each of [first, second])
    for (const never of ['\u001B', 'secret']) expect(each.output()).not.toContain(never)
})
