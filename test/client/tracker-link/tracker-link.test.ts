import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { announceBatchFiles } from '../../../src/common/limits.ts'
import { accept, refuse } from '../../../src/common/refusal.ts'
import { answeredElsewhere } from '../../../src/common/wire/responder.ts'
import { diesOverIt, FakeTracker, password, startTrackers, user } from './fake-tracker.ts'
import { askedIn, file, linkTo, loggedIn, nobody, standStill } from './linked.ts'

test('a question goes to the first tracker that is up, and to no other', async () => {
  const [first, second] = await startTrackers(2)
  const { link } = await loggedIn([first!, second!])
  expect(await link.ask('list_groups', {})).toEqual(accept({ groups: [], more: false }))
  expect([first!, second!].map(({ calls }) => calls.some(({ method }) => method === 'list_groups'))).toEqual([
    true,
    false,
  ])
})

test('a change whose tracker dies over it is repeated at the next, with the same command id', async () => {
  const [first, second] = await startTrackers(2)
  const { link } = await loggedIn([first!, second!])
  first!.instead.set('create_group', diesOverIt)
  expect(await link.change('create_group', { group: 'g1' })).toEqual(accept(undefined))
  const [before] = await first!.called('create_group')
  const [after] = await second!.called('create_group')
  expect(before?.params.id).toMatch(/^[A-Za-z0-9_-]{16,64}$/)
  expect(after?.params).toEqual({ ...before?.params, again: true })
})

test('two changes have two command ids', async () => {
  const [tracker] = await startTrackers(1)
  const { link } = await loggedIn([tracker!])
  await link.change('create_group', { group: 'g1' })
  await link.change('create_group', { group: 'g1' })
  const ids = (await tracker!.called('create_group', 2)).map((call) => call.params.id)
  expect(new Set(ids).size).toBe(2)
})

test('with one tracker only, the change is repeated when it is back, with the same command id', async () => {
  const [tracker] = await startTrackers(1)
  const { link } = await loggedIn([tracker!])
  tracker!.instead.set('create_group', (params, socket) => {
    tracker!.instead.clear()
    return diesOverIt(params, socket)
  })
  expect(await link.change('create_group', { group: 'g1' })).toEqual(accept(undefined))
  const calls = await tracker!.called('create_group', 2)
  expect(calls[1]?.params).toEqual({ ...calls[0]?.params, again: true })
})

test('a refusal is the answer; no other tracker is asked for a better one', async () => {
  const [first, second] = await startTrackers(2)
  const { link } = await loggedIn([first!, second!])
  first!.instead.set('create_group', () => refuse('group-taken', 'it is taken'))
  expect(await link.change('create_group', { group: 'g1' })).toEqual(refuse('group-taken', 'it is taken'))
  expect(second!.calls.some(({ method }) => method === 'create_group')).toBe(false)
})

test('a tracker that is up and cannot answer is passed over', async () => {
  const [first, second] = await startTrackers(2)
  const { link } = await loggedIn([first!, second!])
  first!.instead.set('create_group', () => refuse('unavailable', 'the log is gone'))
  expect(await link.change('create_group', { group: 'g1' })).toEqual(accept(undefined))
  await second!.called('create_group')
})

test('after a reconnect the client is logged in again without its password', async () => {
  const [tracker] = await startTrackers(1)
  const { link, hears, news } = await loggedIn([tracker!])
  await tracker!.stop()
  await hears('all down')
  await tracker!.start()
  await hears('up', 2)
  expect(news).toEqual(['up', 'all down', 'up'])
  expect(await tracker!.called('login_finish', 2)).toHaveLength(2)
  expect(await link.ask('list_groups', {})).toMatchObject({ ok: true })
})

test('when the network has changed, a tracker that was away for long is tried at once', async () => {
  const [tracker] = await startTrackers(1)
  const { link, hears } = await loggedIn([tracker!])
  const { address } = tracker!
  await tracker!.stop()
  await hears('all down')
  standStill()
  let turnedAway = 0
  const other = createServer((socket) => {
    turnedAway++
    socket.destroy()
  }).listen(address.port, address.host)
  await once(other, 'listening')
  for (let tries = 0; tries < 8; tries++) {
    await vi.waitFor(async () => {
      await vi.advanceTimersByTimeAsync(3750)
      expect(turnedAway).toBeGreaterThan(tries)
    })
  }
  other.close()
  await tracker!.start()
  link.onNetworkChanged()
  // Without that it would wait for more than two seconds.
  await vi.advanceTimersByTimeAsync(130)
  await hears('up', 2)
})

test('after a logout a reconnect logs nobody in', async () => {
  const [tracker] = await startTrackers(1)
  const { link, hears } = await loggedIn([tracker!])
  await link.logout()
  expect(await tracker!.called('logout')).toHaveLength(1)
  await tracker!.stop()
  await tracker!.start()
  await hears('up', 2)
  expect(await tracker!.called('login_finish')).toHaveLength(1)
})

test('announces go to all trackers, and again to one that comes back', async () => {
  const trackers = await startTrackers(2)
  const [first] = trackers
  const { link, hears } = await loggedIn(trackers)
  await link.announce(file('a'), true)
  await link.announce(file('b'), false)
  await link.announce(file('b'), true)
  for (const tracker of trackers) await tracker.hears('b', true)
  link.retract(file('a'))
  for (const tracker of trackers) await tracker.called('retract')
  await first!.stop()
  first!.calls.length = 0
  await first!.start()
  await hears('up', 3)
  const [again] = await first!.called('announce')
  expect(again?.params.files).toEqual([{ ...file('b'), complete: true }])
})

// Thousands of shares that were announced one by one filled the connection, which this client then closed.
test('many announces are said, and repeated, in batches that fit a line', async () => {
  const [tracker] = await startTrackers(1)
  const { link, hears } = await loggedIn([tracker!])
  const names = Array.from({ length: announceBatchFiles * 2 + 1 }, (_, index) => `${'x'.repeat(190)}${index}`)
  for (const name of names) void link.announce(file(name), true)
  const expectBatches = async (): Promise<void> => {
    const batches = (await tracker!.called('announce', 3)).map((call) => call.params.files)
    expect(batches.map((files) => files.length)).toEqual([announceBatchFiles, announceBatchFiles, 1])
    expect(batches.flat().map((each) => each.name)).toEqual(names)
  }
  await expectBatches()
  await tracker!.stop()
  tracker!.calls.length = 0
  await tracker!.start()
  await hears('up', 2)
  await expectBatches()
})

// It would refuse the whole batch for one name that it does not take, and the others had no seeder.
// What was announced while the login at the second tracker was still under way never reached it: when
// the first one died, the files had no seeders.
test('a tracker whose login takes longer is told what was announced meanwhile', async () => {
  const [first, slow] = await startTrackers(2)
  let admit: () => void = () => undefined
  const admitted = new Promise<void>((resolve) => (admit = resolve))
  slow!.instead.set('login_start', async () => {
    await admitted
    return undefined as never
  })
  const { link, hears } = linkTo([first!, slow!])
  await hears('up', 2)
  await link.login(user, password)
  await link.announce(file('a'), true)
  expect(await first!.called('announce')).toHaveLength(1)
  admit()
  const [told] = await slow!.called('announce')
  expect(told?.params.files).toEqual([{ ...file('a'), complete: true }])
})

// A tracker that was behind the others and did not know the user yet refused the login, and was never
// asked again: the client went on without it, and failed when the others died.
test('a tracker that refuses the login at first is tried again', async () => {
  const [first, behind] = await startTrackers(2)
  behind!.instead.set('login_start', () => {
    behind!.instead.clear()
    return refuse('login-failed', 'wrong user or password')
  })
  const { link, hears } = linkTo([first!, behind!])
  await hears('up', 2)
  await link.login(user, password)
  await behind!.called('login_finish')
  await hears('up', 3)
  await first!.stop()
  expect(await link.ask('list_groups', {})).toMatchObject({ ok: true })
})

// A tracker that was behind the others would never have listed the seeder of a file that was just shared.
test('an announce that a tracker will not have yet is said again, until it is retracted', async () => {
  const [tracker] = await startTrackers(1)
  const { link } = await loggedIn([tracker!])
  tracker!.instead.set('announce', () => accept({ refused: [{ group: 'g1', name: 'a' }] }))
  standStill()
  await link.announce(file('a'), true)
  await link.announce(file('b'), true)
  await vi.advanceTimersByTimeAsync(250)
  const again = (await tracker!.called('announce', 3)).map(({ params }) => params.files)
  expect(again[2]).toEqual([{ ...file('a'), complete: true }])
  link.retract(file('a'))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(await tracker!.called('announce', 3)).toHaveLength(3)
})

test('before a login nothing is announced, and retracting is no request', async () => {
  const [tracker] = await startTrackers(1)
  const { link, hears } = linkTo([tracker!])
  await hears('up')
  await link.announce(file('a'), true)
  link.retract(file('a'))
  await link.ask('ping', {})
  expect(tracker!.calls.map(({ method }) => method)).toEqual(['hello', 'ping'])
})

test('a wrong password is refused, and the next try may be right', async () => {
  const [tracker] = await startTrackers(1)
  const { link, hears } = linkTo([tracker!])
  await hears('up')
  expect(await link.login(user, 'wrong')).toMatchObject({ ok: false, refusal: { code: 'login-failed' } })
  expect(await link.login(user, password)).toMatchObject({ ok: true })
})

test('a tracker that does not know the password it claims to know is refused', async () => {
  const [tracker] = await startTrackers(1)
  const serverFinal = `v=${Buffer.alloc(32, 1).toString('base64')}`
  tracker!.instead.set('login_finish', () => accept({ serverFinal, trackers: [] }))
  const { link, hears } = linkTo([tracker!])
  await hears('up')
  expect(await link.login(user, password)).toMatchObject({
    ok: false,
    refusal: { code: 'login-failed', sentence: expect.stringContaining('may be an impostor') },
  })
})

test('a tracker that asks for few iterations learns nothing and is named as unsafe', async () => {
  const [tracker] = await startTrackers(1)
  tracker!.instead.set('login_start', ({ clientFirst }) => {
    const nonce = /r=(.*)$/.exec(clientFirst as string)?.[1]
    return accept({ serverFirst: `r=${nonce}more,s=${Buffer.alloc(16).toString('base64')},i=4096` })
  })
  const { link, hears } = linkTo([tracker!])
  await hears('up')
  await expect(link.login(user, password)).rejects.toMatchObject({
    code: 'protocol',
    message: expect.stringContaining('unsafe number of password iterations'),
  })
  expect(tracker!.calls.map(({ method }) => method)).toEqual(['hello', 'login_start'])
})

// Each try at such a tracker was told as one more loss of all trackers: a tracker that had forgotten its
// users made the client say so every three seconds.
test('an impostor that takes the place of a tracker gets no login, and is one loss, not many', async () => {
  const [tracker] = await startTrackers(1)
  const { news, hears } = await loggedIn([tracker!])
  await tracker!.stop()
  const serverFinal = `v=${Buffer.alloc(32, 1).toString('base64')}`
  tracker!.instead.set('login_finish', () => accept({ serverFinal, trackers: [] }))
  await tracker!.start()
  await tracker!.called('login_finish', 3)
  tracker!.instead.clear()
  await hears('up', 2)
  expect(news).toEqual(['up', 'all down', 'up'])
})

test('a request that comes while nobody is up waits for the first that is', async () => {
  const tracker = new FakeTracker()
  await tracker.start()
  await tracker.stop()
  const { link } = linkTo([tracker])
  const asked = link.ask('ping', {})
  await tracker.start()
  onTestFinished(() => tracker.stop())
  expect(await asked).toMatchObject({ ok: true })
})

test('while no tracker was ever up, a request waits a second and then fails, with a sentence', async () => {
  const trackers = await startTrackers(2)
  for (const tracker of trackers) tracker.instead.set('hello', diesOverIt)
  const { link } = linkTo(trackers)
  // The second try says that the first has ended.
  for (const tracker of trackers) await tracker.called('hello', 2)
  const asked = askedIn(link)
  await vi.advanceTimersByTimeAsync(999)
  expect(asked.outcome).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1)
  expect(asked.outcome).toMatchObject(nobody)
  expect(link.isUp).toBe(false)
})

test('that second begins when the first tries have ended, not when the request was made', async () => {
  const [slow] = await startTrackers(1)
  let end: (() => void) | undefined
  slow!.instead.set('hello', (_params, socket) => {
    end ??= () => socket.destroy()
    return answeredElsewhere
  })
  const { link } = linkTo([slow!])
  await slow!.called('hello')
  const asked = askedIn(link)
  await vi.advanceTimersByTimeAsync(3000)
  expect(asked.outcome).toBeUndefined()
  end?.()
  // Besides the end of all patience: the end of that second, and the next try.
  while (vi.getTimerCount() < 3) await new Promise((turn) => setImmediate(turn))
  await vi.advanceTimersByTimeAsync(999)
  expect(asked.outcome).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1)
  expect(asked.outcome).toMatchObject(nobody)
})

test('when a tracker was up before, a request waits five seconds for it, and then fails', async () => {
  const [tracker] = await startTrackers(1)
  const { link, hears } = linkTo([tracker!])
  await hears('up')
  await tracker!.stop()
  await hears('all down')
  const asked = askedIn(link)
  await vi.advanceTimersByTimeAsync(4999)
  expect(asked.outcome).toBeUndefined()
  await vi.advanceTimersByTimeAsync(1)
  expect(asked.outcome).toMatchObject(nobody)
})

test('a tracker of another version is named as the reason', async () => {
  const [tracker] = await startTrackers(1)
  tracker!.instead.set('hello', () => refuse('protocol-version', 'this tracker speaks version 7'))
  const { link } = linkTo([tracker!])
  // The second try says that the first was understood.
  await tracker!.called('hello', 2)
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const asked = link.ask('ping', {}).catch((error: unknown) => error)
  await vi.advanceTimersByTimeAsync(6000)
  expect(await asked).toMatchObject({ message: expect.stringContaining('this tracker speaks version 7') })
})

describe('what is no tracker is called so', () => {
  async function askedAt(answer: string | ((socket: Socket) => void)): Promise<unknown> {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.once('data', (line) => {
        const { id } = JSON.parse(String(line)) as { id: number }
        if (typeof answer === 'string') socket.end(answer.replace('"its id"', String(id)))
        else answer(socket)
      })
    }).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const { link } = linkTo([{ host: '127.0.0.1', port }])
    const problem: unknown = await link.ask('ping', {}).catch((error: unknown) => error)
    return problem instanceof Error ? problem.message.replace(String(port), 'port') : problem
  }

  const sentence = 'what listens at 127.0.0.1:port is not a Coterie tracker'

  // "The other end sent a line that is not JSON", with the port of a web server in the list.
  test('a web server', async () => {
    expect(await askedAt('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')).toBe(sentence)
  })

  test('a program of other words in JSON, as another client is', async () => {
    const refusal = { jsonrpc: '2.0', id: 'its id', error: { code: -32602, message: 'nonce is missing' } }
    expect(await askedAt(`${JSON.stringify(refusal)}\n`)).toBe(sentence)
    expect(await askedAt(`${JSON.stringify({ jsonrpc: '2.0', id: 'its id', result: {} })}\n`)).toBe(sentence)
  })

  test('but one that closes the connection may be a tracker that is just ending', async () => {
    expect(await askedAt((socket) => socket.destroy())).toBe(
      'no answer from tracker 127.0.0.1:port; is it running?',
    )
  })
})
