// What every command says and does against a real tracker: the table of the README, row by row.

import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Program } from './programs.ts'
import { isSame, World } from './world.ts'

let world: World
let ann: Program
let ben: Program
let cem: Program

beforeAll(async () => {
  world = await World.make()
  ;[ann, ben, cem] = (await world.users('ann', 'ben', 'cem')) as [Program, Program, Program]
})
afterAll(() => world.close())

describe('accounts', () => {
  test('a user is made once, logs in with the right password only, and is logged in once a client', async () => {
    const dora = world.client('dora')
    expect(await dora.say('whoami')).toBe('nobody is logged in')
    expect(await dora.say('list_groups')).toBe('error: log in first')
    expect(await dora.say('logout')).toBe('error: nobody is logged in')
    expect(await dora.say('create_user dora secret')).toBe('user dora created')
    expect(await dora.say('create_user dora other')).toMatch(/^error: .*dora/)
    expect(await dora.say('login dora wrong')).toBe('error: wrong user name or password')
    expect(await dora.say('login nobody-such secret')).toBe('error: wrong user name or password')
    expect(await dora.say('login dora secret')).toBe('logged in as dora')
    expect(await dora.say('whoami')).toBe('dora')
    expect(await dora.say('login ann secret')).toBe('error: dora is logged in here; log out first: logout')
    expect(await dora.say('login dora secret')).toBe('you are logged in as dora')
    expect(await dora.say('logout')).toBe('logged out')
    expect(await dora.say('whoami')).toBe('nobody is logged in')
    expect(await dora.quit()).toEqual({ code: 4, signal: null })
  })

  test('the same user may be logged in from two clients at once', async () => {
    await world.knows('ann-elsewhere', 'ann')
    const other = world.client('ann', { dataFolder: 'ann-elsewhere' })
    expect(await other.say('login ann secret')).toBe('logged in as ann')
    expect(await other.say('whoami')).toBe('ann')
    expect(await ann.say('whoami')).toBe('ann')
    expect(await other.quit()).toEqual({ code: 0, signal: null })
    expect((await ann.ask('list_groups'))[0]).not.toMatch(/^error/)
  })
})

describe('groups', () => {
  test('a hidden group is listed to nobody who is not in it, until he asks by its name', async () => {
    expect(await ann.say('create_group quiet --hidden')).toBe('hidden group quiet created')
    expect(await ann.ask('list_groups')).toContain('quiet  owner ann  1 member  you are the owner  hidden')
    const isSeen = async (): Promise<boolean> =>
      (await ben.ask('list_groups')).some((line) => line.startsWith('quiet'))
    expect(await isSeen()).toBe(false)
    expect(await ben.say('join_group quiet')).toBe('join request sent to the owner of quiet')
    expect(await isSeen()).toBe(true)
    await ann.does('reject_request quiet ben')
    expect(await isSeen()).toBe(false)
    await ann.does('leave_group quiet')
  })

  test('joining: asked once, listed, accepted or rejected by the owner alone, and told to whoever waits', async () => {
    expect(await ann.say('create_group j1')).toBe('group j1 created')
    expect(await ben.say('create_group j1')).toBe('error: there is already a group j1')
    expect(await ann.say('join_group j1')).toBe('error: you are already a member of j1')
    expect(await ann.say('list_requests j1')).toBe('no pending requests for j1')
    expect(await ben.say('join_group j1')).toBe('join request sent to the owner of j1')
    expect(await ben.say('join_group j1')).toBe('error: you have already asked to join j1')
    expect(await cem.say('join_group j1')).toBe('join request sent to the owner of j1')
    await ann.until('ben asks to join j1; to let them in: accept_request j1 ben')
    await ann.until('cem asks to join j1; to let them in: accept_request j1 cem')
    expect(await ann.ask('list_requests j1')).toEqual(['ben', 'cem'])
    expect(await ann.ask('requests list_requests j1')).toEqual(['ben', 'cem'])
    expect(await ben.say('list_requests j1')).toMatch(/^error: /)
    expect(await ben.say('accept_request j1 ben')).toMatch(/^error: /)
    expect(await ann.say('accept_request j1 ben')).toBe('ben is now a member of j1')
    await ben.until('you are now a member of j1')
    expect(await ann.say('accept_request j1 ben')).toBe('error: ben is already a member of j1')
    expect(await ann.say('reject_request j1 cem')).toBe('request of cem for j1 rejected')
    await cem.until('your request to join j1 was rejected')
    expect(await ann.say('reject_request j1 cem')).toBe('error: cem has not asked to join j1')
    expect(await ann.say('accept_request j1 nobody-such')).toBe('error: nobody-such has not asked to join j1')
    expect(await ben.say('accept_request j1 cem')).toMatch(/^error: /)
    expect(await cem.say('list_members j1')).toMatch(/^error: /)
    expect(await ben.ask('list_members j1')).toEqual(['ann', 'ben'])
    expect(await cem.ask('list_groups')).toContain('j1  owner ann  2 members  you are not a member')
    expect(await ben.ask('list_groups')).toContain('j1  owner ann  2 members  you are a member')
  })

  test('a member who is removed is told, is off the list, and may ask again', async () => {
    await world.group('r1', ann, ben)
    expect(await ben.say('remove_member r1 ann')).toMatch(/^error: /)
    expect(await ann.say('remove_member r1 ann')).toBe('error: you own r1; to leave it, use leave_group')
    expect(await ann.say('remove_member r1 cem')).toBe('error: cem is not a member of r1')
    expect(await ann.say('remove_member r1 nobody-such')).toBe('error: nobody-such is not a member of r1')
    expect(await ann.say('remove_member r1 ben')).toBe('ben is no longer a member of r1')
    await ben.until('you are no longer a member of r1')
    expect(await ann.ask('list_members r1')).toEqual(['ann'])
    expect(await ben.say('list_files r1')).toMatch(/^error: /)
    expect(await ben.say('join_group r1')).toBe('join request sent to the owner of r1')
  })

  test('an owner who leaves hands the group on, and the last to leave takes it along', async () => {
    await world.group('l1', ann, cem, ben)
    expect(await ann.say('leave_group l1')).toBe('left l1')
    await cem.until('you are now the owner of l1')
    expect(await cem.ask('list_groups')).toContain('l1  owner cem  2 members  you are the owner')
    expect(await ann.say('leave_group l1')).toMatch(/^error: /)
    expect(await ben.say('leave_group l1')).toBe('left l1')
    expect(await cem.say('leave_group l1')).toBe('left l1')
    expect(await cem.say('list_members l1')).toBe('error: there is no group l1')
    expect((await ann.ask('list_groups')).filter((line) => line.startsWith('l1 '))).toEqual([])
    expect(await ben.say('create_group l1')).toBe('group l1 created')
  })
})

describe('files', () => {
  test('both orders of upload_file share, and where a word could be either the path comes first', async () => {
    await world.group('u1', ann)
    const path = world.makeFile('both.bin', 1000)
    expect(await ann.say('list_files u1')).toBe('no files in u1')
    expect(await ann.say(`upload_file ${path} u1`)).toBe('sharing both.bin in u1 (1000 bytes, 1 piece)')
    world.makeFile('other.bin', 10)
    expect(await ann.say('upload_file u1 other.bin')).toBe('sharing other.bin in u1 (10 bytes, 1 piece)')
    // A file that is called like a group, shared in a group that is called like a file.
    await world.group('u2', ann)
    world.makeFile('u2', 3)
    world.makeFile('u1', 3)
    expect(await ann.say('upload_file u2 u1')).toBe('sharing u2 in u1 (3 bytes, 1 piece)')
    expect(await ann.ask('list_files u1')).toEqual([
      'both.bin  1000 bytes  1 seeder',
      'other.bin  10 bytes  1 seeder',
      'u2  3 bytes  1 seeder',
    ])
  })

  test('the same content adds a seeder; other content is refused, or replaces it for whoever was first', async () => {
    await world.group('v1', ann, ben, cem)
    const path = world.makeFile('doc.txt', 2000)
    const [line] = await ann.does(`upload_file ${path} v1`)
    expect(line).toBe('sharing doc.txt in v1 (2000 bytes, 1 piece)')
    world.makeFolder('elsewhere')
    const twin = world.makeFile('elsewhere/doc.txt', 2000, 'doc.txt')
    expect(await ben.say(`upload_file ${twin} v1`)).toBe(line)
    expect(await cem.say('list_files v1')).toBe('doc.txt  2000 bytes  2 seeders')

    world.makeFolder('apart')
    const other = world.makeFile('apart/doc.txt', 13)
    expect(await cem.say(`upload_file ${other} v1`)).toBe(
      'error: v1 has another file called doc.txt, shared by ann; rename yours',
    )
    expect(await cem.say('list_files v1')).toBe('doc.txt  2000 bytes  2 seeders')

    writeFileSync(path, 'the second version')
    expect(await ann.say(`upload_file ${path} v1`)).toBe('sharing doc.txt in v1 (18 bytes, 1 piece)')
    await ben.until('doc.txt in v1 was replaced or withdrawn; you no longer share it')
    expect(await cem.say('list_files v1')).toBe('doc.txt  18 bytes  1 seeder')
  })

  test('stop_share withdraws one share, and with the last one the file is gone from the group', async () => {
    await world.group('s1', ann, ben, cem)
    const path = world.makeFile('shared.bin', 100)
    await ann.does(`upload_file ${path} s1`)
    await ben.does(`upload_file ${path} s1`)
    expect(await cem.say('stop_share s1 shared.bin')).toMatch(/^error: /)
    expect(await cem.say('stop_share s1 none.bin')).toMatch(/^error: /)
    expect(await ann.say('stop_share s1 shared.bin')).toBe('stopped sharing shared.bin in s1')
    expect(await ann.say('stop_share s1 shared.bin')).toBe('error: you do not share shared.bin in s1')
    expect(await cem.say('list_files s1')).toBe('shared.bin  100 bytes  1 seeder')
    expect(await ben.say('stop_share s1 shared.bin')).toBe('stopped sharing shared.bin in s1')
    expect(await cem.say('list_files s1')).toBe('no files in s1')
    expect(await cem.say('download_file s1 shared.bin .')).toBe('error: there is no file shared.bin in s1')
  })

  test('a member who leaves takes along what only they shared', async () => {
    await world.group('s2', ann, ben)
    const path = world.makeFile('mine.bin', 100)
    await ben.does(`upload_file ${path} s2`)
    expect(await ann.say('list_files s2')).toBe('mine.bin  100 bytes  1 seeder')
    const mark = ben.mark()
    expect(await ben.say('leave_group s2')).toBe('left s2')
    expect(await ann.say('list_files s2')).toBe('no files in s2')
    // Who leaves knows what goes along. Whatever the tracker told of it came before the answer to this.
    await ben.does('list_groups')
    expect(ben.lines.slice(mark).filter((line) => line.includes('mine.bin'))).toEqual([])
  })

  test('what this client alone could give is not downloaded from itself', async () => {
    await world.group('d1', ann, ben)
    const path = world.makeFile('own.bin', 100)
    await ann.does(`upload_file ${path} d1`)
    expect(await ann.say('download_file d1 own.bin own-copy.bin')).toBe(
      `error: nobody else who has own.bin is online; you share it yourself, from ${path}`,
    )
    expect(await ann.say('show_downloads')).toBe('no downloads')
    // From somebody else it can be fetched, also to have it twice.
    await ben.does(`upload_file ${path} d1`)
    await ann.does('download_file d1 own.bin own-copy.bin')
    await ann.until('[C] [d1] own.bin')
    expect(isSame(path, world.path('own-copy.bin'))).toBe(true)
  })

  test('after logout the file stays listed with nobody to get it from, and after login it is back', async () => {
    await world.group('o1', ann, ben)
    await ben.does(`upload_file ${world.makeFile('away.bin', 100)} o1`)
    await ben.does('logout')
    expect(await ann.say('list_files o1')).toBe('away.bin  100 bytes  0 seeders')
    await ben.does('login ben secret')
    await ann.askUntil('list_files o1', 'away.bin  100 bytes  1 seeder')
  })
})

describe('the rest', () => {
  test('limits, waiting, help and both words for quitting answer as they should', async () => {
    const dora = await world.user('dora2')
    expect(await dora.say('limit upload 512K')).toMatch(/^upload limited to /)
    expect(await dora.say('limit download none')).toBe('download is not limited')
    expect(await dora.say('wait')).toBe('no download is running')
    expect(await dora.say('show_downloads')).toBe('no downloads')
    expect((await dora.ask('help')).length).toBeGreaterThan(20)
    dora.write('exit')
    expect(await dora.ended()).toEqual({ code: 0, signal: null })
    expect(dora.lines.at(-1)).toBe('bye')
  })

  test('a mistyped command is one error with a suggestion, and a script with one exits with 2 at its end', async () => {
    const client = world.client('typing')
    expect(await client.say('craete_group g')).toBe(
      'error: unknown command "craete_group"; did you mean create_group?',
    )
    expect(await client.say('login "ann')).toBe('error: the quote " is not closed')
    expect(await client.say('join_group')).toMatch(/^error: join_group needs a group/)
    expect(await client.say('join_group a b c')).toMatch(/^error: too many words/)
    client.process.stdin.end()
    expect(await client.ended()).toEqual({ code: 2, signal: null })
  })

  test('a script without an error exits with 0 at its end', async () => {
    const client = world.client('fine')
    client.process.stdin.end('whoami\nhelp')
    expect(await client.ended()).toEqual({ code: 0, signal: null })
  })
})
