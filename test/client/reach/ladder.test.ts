// Ways to another client, on one machine: what opens first is taken, and what does not open is named.

import { expect, onTestFinished, test, vi } from 'vitest'
import { Failure } from '../../../src/common/failure.ts'
import { encodeRoleHello } from '../../../src/common/wire/role-hello.ts'
import { dial } from '../../../src/client/reach/dial.ts'
import { Ladder, type LadderParts, type Route, type RouteRequest } from '../../../src/client/reach/ladder.ts'
import { End, forwarding, nowhere, silence } from './two-ends.ts'

/** What the ladder of one end asks the trackers. */
type Call = LadderParts['call']

const nobodyCalls: Call = () => Promise.reject(new Failure('connection-lost', 'no tracker can call it'))
const neverCalls: Call = () => Promise.reject(new Error('the peer was called'))
const times = {
  callAfterMs: 100,
  callAgainAfterMs: 50,
  comesWithinMs: 700,
  relayAfterMs: 500,
  relayAgainAfterMs: 200,
}
const signal = new AbortController().signal

async function climb(
  fetching: End,
  serving: End,
  request: Partial<RouteRequest> = {},
  call: Call = nobodyCalls,
  isSeenAt: LadderParts['isSeenAt'] = () => false,
): Promise<Route> {
  const { protection, listen, awaited } = fetching
  const ladder = new Ladder(
    { protection, listen, awaited, call, isSeenAt, times },
    { peer: serving.peer(), check: serving.check, readBytesMax: () => 65_536, ...request },
  )
  const route = await ladder.climb(signal)
  onTestFinished(() => route.channel.close(new Failure('connection-lost', 'the test is over')))
  return route
}

/** The serving end dials the fetching one, as a client does that is called. */
function callsBack(fetching: End, serving: End): Call {
  return async (token) => {
    const socket = await dial(fetching.listen, { timeoutMs: 5000, signal })
    socket.write(encodeRoleHello({ role: 'serves', token }))
    serving.serveOn(socket)
    return { ways: { ...serving.listen }, from: undefined }
  }
}

/** Messages arrive at the serving end, whoever dialled. */
async function speaks(route: Route, serving: End): Promise<void> {
  route.channel.listen({
    onFrame: () => {},
    onMalformed: () => {},
    bodyBuffer: () => Buffer.alloc(0),
    onClosed: () => {},
  })
  route.channel.send({ from: 'the one that fetches' })
  await vi.waitUntil(() => serving.heard.length === 1)
  expect(serving.heard).toEqual([{ from: 'the one that fetches' }])
}

test('a peer that answers is dialled, and not called', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const route = await climb(fetching, serving, {}, neverCalls)
  expect(route).toMatchObject({ way: 'direct' })
  expect(route.whyNot).toBeUndefined()
  await speaks(route, serving)
})

test('a peer to which a dial led before is not called for one more connection', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const request = { dialsOnly: true, lastWay: 'called-back' } as const
  expect((await climb(fetching, serving, request, neverCalls)).way).toBe('direct')
  const gone = { ...request, peer: serving.peer(await nowhere()) }
  await expect(climb(fetching, serving, gone, neverCalls)).rejects.toThrow('cannot connect')
})

test('a peer that says so itself comes by a port that its router forwards', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const route = await climb(fetching, serving, { peer: { ...serving.peer(), mapped: true } }, neverCalls)
  expect(route.way).toBe('mapped')
})

test('a peer that cannot be dialled is called at once, and comes', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const gone = await nowhere()
  const peer = serving.peer(gone)
  const route = await climb(fetching, serving, { peer }, callsBack(fetching, serving))
  expect(route.way).toBe('called-back')
  expect(route.whyNot).toContain(`cannot connect to 127.0.0.1:${gone.port}`)
  await speaks(route, serving)
})

test('a peer of which a tracker says that nobody can dial it is called first', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const peer = { ...serving.peer(await nowhere()), reachable: false }
  let calls = 0
  const call: Call = (token, relay) => {
    calls++
    return callsBack(fetching, serving)(token, relay)
  }
  expect(await climb(fetching, serving, { peer }, call)).toMatchObject({ way: 'called-back' })
  expect(calls).toBe(1)
})

test('a call that no tracker passes on is repeated while the dial is not answered', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const peer = { ...serving.peer(await silence()), reachable: false }
  let calls = 0
  const call: Call = (token, relay) =>
    ++calls < 3 ? nobodyCalls(token, relay) : callsBack(fetching, serving)(token, relay)
  expect(await climb(fetching, serving, { peer }, call)).toMatchObject({ way: 'called-back' })
  expect(calls).toBe(3)
})

test('a call that no tracker passes on is not repeated once the dial has failed', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const peer = { ...serving.peer(await nowhere()), reachable: false }
  let calls = 0
  const call: Call = (token, relay) => {
    calls++
    return nobodyCalls(token, relay)
  }
  await expect(climb(fetching, serving, { peer }, call)).rejects.toThrow('no tracker can call it')
  expect(calls).toBeLessThanOrEqual(2)
})

test('somebody who comes with another key is turned away, and the peer is waited for', async () => {
  const [fetching, serving, other] = [await End.start(), await End.start(), await End.start()]
  const peer = serving.peer(await nowhere())
  const call: Call = async (token, relay) => {
    await callsBack(fetching, other)(token, relay)
    return callsBack(fetching, serving)(token, relay)
  }
  const route = await climb(fetching, serving, { peer }, call)
  expect(route.way).toBe('called-back')
  await speaks(route, serving)
  expect(other.heard).toEqual([])
})

test('a connection that was not asked for is turned away', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const socket = await dial(fetching.listen, { timeoutMs: 5000, signal })
  const said: Buffer[] = []
  socket.on('data', (bytes: Buffer) => said.push(bytes))
  const closed = new Promise((resolve) => socket.once('close', resolve))
  socket.write(encodeRoleHello({ role: 'serves', token: 'A'.repeat(22) }))
  socket.resume()
  await closed
  expect(Buffer.concat(said).toString()).toContain('nothing of the kind is expected here')
  expect(serving.heard).toEqual([])
})

test('where nothing else opens, somebody forwards, and sees no word of what is said', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const relay = await forwarding()
  const gone = await nowhere()
  const call: Call = async (token, wantsRelay) => {
    const ways = { ...gone }
    if (!wantsRelay) return { ways, from: undefined }
    const socket = await dial(relay.address, { timeoutMs: 5000, signal })
    socket.write(encodeRoleHello({ role: 'relays', token }))
    serving.serveOn(socket)
    return { ways: { ...ways, relay: { ...relay.address, token } }, from: undefined }
  }
  const route = await climb(fetching, serving, { peer: serving.peer(gone), lastWay: 'relayed' }, call)
  expect(route.way).toBe('relayed')
  expect(route.whyNot).toContain(`cannot connect to 127.0.0.1:${gone.port}`)
  await speaks(route, serving)
  expect(relay.seen().length).toBeGreaterThan(0)
  expect(relay.seen().includes('the one that fetches')).toBe(false)
})

test('says of each way why it does not lead there, the plain one first', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const { port } = await nowhere()
  const peer = serving.peer({ host: '127.0.0.1', port })
  await expect(climb(fetching, serving, { peer })).rejects.toMatchObject({
    code: 'connection-lost',
    message: expect.stringMatching(
      new RegExp(`^cannot connect to 127\\.0\\.0\\.1:${port}.*; no tracker can call it$`),
    ) as string,
  })
})

test('a peer behind the same address is called before its public address is tried', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const order: string[] = []
  const call: Call = (token, relay) => {
    order.push('called')
    return callsBack(fetching, serving)(token, relay)
  }
  const route = await climb(fetching, serving, {}, call, (host) => host === serving.listen.host)
  expect(order).toEqual(['called'])
  expect(route.way).toBe('called-back')
})

test('nobody is dialled on the word of another one but in a private network', async () => {
  const [fetching, serving] = [await End.start(), await End.start()]
  const stranger = await End.start()
  const peer = serving.peer(await nowhere())
  const call: Call = async () => ({
    // A tracker may say what it likes.
    ways: { host: serving.listen.host, port: stranger.listen.port, local: ['127.0.0.1'] },
    from: undefined,
  })
  await expect(climb(fetching, serving, { peer, lastWay: 'relayed' }, call)).rejects.toMatchObject({
    message: expect.stringContaining('it was called and did not come') as string,
  })
  expect(stranger.closed).toBe(0)
})
