// The first session of two people, word for word as the project promises it.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isSame, World } from './world.ts'

let world: World

beforeAll(async () => {
  world = await World.make()
  world.makeFolder('client')
  world.makeFolder('tracker')
})
afterAll(() => world.close())

const isOrder = (lines: readonly string[]): boolean => lines.every((line) => !line.startsWith('error:'))

describe('the walk-through', () => {
  test('two people get from two new accounts to an identical copy, command by command, and quit with 0', async () => {
    const original = world.makeFile('client/1.png', 700_001)
    const cwd = world.path('client')
    const words = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort), '--data-dir']
    const first = world.run('first', 'client', [...words, world.path('data-1')], { cwd: cwd })
    const second = world.run('second', 'client', [...words, world.path('data-2')], { cwd: cwd })
    expect(await first.say('create_user abc abc')).toBe('user abc created')
    expect(await first.say('login abc abc')).toBe('logged in as abc')
    expect(await first.say('create_group g1')).toBe('group g1 created')
    expect(await second.say('create_user def def')).toBe('user def created')
    expect(await second.say('login def def')).toBe('logged in as def')
    expect(await second.say('list_groups')).toBe('g1  owner abc  1 member  you are not a member')
    expect(await second.say('join_group g1')).toBe('join request sent to the owner of g1')
    expect(await first.until(/asks to join/)).toBe(
      'def asks to join g1; to let them in: accept_request g1 def',
    )
    expect(await first.say('list_requests g1')).toBe('def')
    expect(await first.say('accept_request g1 def')).toBe('def is now a member of g1')
    expect(await first.say('upload_file 1.png g1')).toBe('sharing 1.png in g1 (700001 bytes, 2 pieces)')
    expect(await second.until(/now a member/)).toBe('you are now a member of g1')
    expect(await second.say('list_files g1')).toBe('1.png  700001 bytes  1 seeder')
    const copy = world.path('tracker', '2.png')
    const [began] = await second.ask('download_file g1 1.png ../tracker/2.png')
    expect(began).toBe(`downloading 1.png from g1 to ${copy}`)
    expect(await second.until(/^\[C\]/)).toBe('[C] [g1] 1.png')
    expect(await second.say('show_downloads')).toBe('[C] [g1] 1.png')
    expect(await second.say('stop_share g1 1.png')).toBe('stopped sharing 1.png in g1')
    expect(await second.say('leave_group g1')).toBe('left g1')
    expect(await second.quit()).toEqual({ code: 0, signal: null })
    expect(await first.quit()).toEqual({ code: 0, signal: null })
    expect(isSame(original, copy)).toBe(true)
    expect(first.stderr + second.stderr).toBe('')
  })

  test('it comes to the same when the second writes all commands at once, and leaves before looking', async () => {
    const original = world.makeFile('client/big.png', 5_000_000)
    const cwd = world.path('client')
    const words = ['127.0.0.1', '0', '127.0.0.1', String(world.trackerPort), '--data-dir']
    const first = world.run('first', 'client', [...words, world.path('data-3')], { cwd: cwd })
    const second = world.run('second', 'client', [...words, world.path('data-4')], { cwd: cwd })
    first.write('create_user ghi ghi', 'login ghi ghi', 'create_group g2')
    await first.until('group g2 created')
    second.write('create_user jkl jkl', 'login jkl jkl', 'list_groups', 'join_group g2')
    await second.until(/join request sent/)
    first.write('list_requests g2', 'accept_request g2 jkl', 'upload_file big.png g2')
    await first.until(/^sharing big\.png/)
    second.process.stdin.end(
      [
        'list_files g2',
        'download_file g2 big.png ../tracker/3.png',
        'show_downloads',
        'stop_share g2 big.png',
        'leave_group g2',
        'quit',
      ].join('\n'),
    )
    expect(await second.ended()).toEqual({ code: 0, signal: null })
    expect(isSame(original, world.path('tracker', '3.png'))).toBe(true)
    expect(isOrder(second.lines)).toBe(true)
    expect(second.lines.slice(-3)).toEqual(['stopped sharing big.png in g2', 'left g2', 'bye'])
    expect(second.lines).toContain('[C] [g2] big.png')
    expect(await first.quit()).toEqual({ code: 0, signal: null })
  })
})
