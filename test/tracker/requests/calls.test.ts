// Clients that have a tracker call each other, over real sockets.

import { expect, onTestFinished, test } from 'vitest'
import type { Address } from '../../../src/common/addresses.ts'
import { refuse } from '../../../src/common/refusal.ts'
import { makeNonce } from '../../../src/common/security/challenge.ts'
import {
  callsOfPairPerMinute,
  callsOfUserPerMinute,
  callsToUserPerMinute,
} from '../../../src/tracker/limits.ts'
import { CallPace } from '../../../src/tracker/reach/call-pace.ts'
import { callHandlers } from '../../../src/tracker/requests/calls.ts'
import type { Requester } from '../../../src/tracker/requests/requester.ts'
import type { Services } from '../../../src/tracker/requests/services.ts'
import { aLogin } from '../presence/a-login.ts'
import { groupOf } from '../state/world.ts'
import { TestClient, type Coming } from '../support/test-client.ts'
import { commandId, runTracker } from '../support/test-tracker.ts'

const token = makeNonce()

interface Person extends Coming {
  readonly port?: number
  readonly where?: TestClient['where']
  readonly capabilities?: string[]
}

async function loggedIn(address: Address, user: string, person: Person = {}): Promise<TestClient> {
  const client = await TestClient.open(address, person)
  onTestFinished(() => client.caller.close())
  client.where = person.where ?? {}
  if (person.capabilities !== undefined) client.capabilities = person.capabilities
  await client.hello()
  await client.register(user, 'secret')
  expect(await client.login(user, 'secret', person.port ?? 4000)).toMatchObject({ ok: true })
  return client
}

/** Of Ann's group. */
async function join(group: string, owner: TestClient, user: string, client: TestClient): Promise<void> {
  await client.change('join_group', { group })
  expect(await owner.change('accept_request', { group, user })).toMatchObject({ ok: true })
}

/** Ann has the group g, Ben is a member; nobody knows Eve. */
async function annBenAndEve(
  ofAnn: Person = {},
  ofBen: Person = {},
): Promise<{ address: Address; ann: TestClient; ben: TestClient; eve: TestClient }> {
  const { address } = await runTracker()
  const ann = await loggedIn(address, 'ann', ofAnn)
  const ben = await loggedIn(address, 'ben', ofBen)
  const eve = await loggedIn(address, 'eve')
  await ann.change('create_group', { group: 'g' })
  await join('g', ann, 'ben', ben)
  return { address, ann, ben, eve }
}

function call(from: TestClient, user: string, { identity }: TestClient, group = 'g') {
  return from.request('call_peer', { group, user, key: identity.publicKey, token })
}

const isPort = expect.any(Number)

test('a member who is called hears from whom and where that one is, who hears where the member is', async () => {
  const { ann, ben } = await annBenAndEve(
    { port: 4001, localHost: '127.0.0.5' },
    { port: 4002, localHost: '127.0.0.6' },
  )
  expect(await call(ben, 'ann', ann)).toEqual({
    ok: true,
    value: { host: '127.0.0.5', port: 4001, outside: { host: '127.0.0.5', port: isPort } },
  })
  expect(await ann.hears('peer_calls')).toEqual({
    group: 'g',
    user: 'ben',
    key: ben.identity.publicKey,
    token,
    host: '127.0.0.6',
    port: 4002,
    outside: { host: '127.0.0.6', port: ben.caller.channel.localPort },
  })
})

test('addresses on a network of their own are told to those who are seen at the same address, and to no others', async () => {
  const local = ['192.168.1.7', 'fd00:1::7']
  const { address, ann, ben } = await annBenAndEve({ where: { local } }, { where: { local: ['10.1.2.3'] } })
  expect(await call(ben, 'ann', ann)).toMatchObject({ value: { local } })
  expect(await ann.hears('peer_calls')).toMatchObject({ local: ['10.1.2.3'] })
  const cem = await loggedIn(address, 'cem', { localHost: '127.0.0.9', where: { local: ['10.0.0.9'] } })
  await join('g', ann, 'cem', cem)
  expect(await call(cem, 'ann', ann)).not.toMatchObject({ value: { local: expect.anything() } })
  expect(await ann.hears('peer_calls')).not.toHaveProperty('local')
})

test('of the addresses that a client calls its own, only private ones are told to anybody', async () => {
  const bad = ['127.0.0.1', '169.254.1.1', '224.0.0.1', '198.51.100.1']
  const { address, ann, ben } = await annBenAndEve({ where: { local: bad } })
  expect(await call(ben, 'ann', ann)).not.toMatchObject({ value: { local: expect.anything() } })
  const too = await TestClient.connect(address)
  await too.hello()
  await too.register('too', 'secret')
  too.where = { local: Array.from({ length: 5 }, (_, index) => `10.0.0.${index}`) }
  expect(await too.login('too', 'secret')).toMatchObject({ refusal: { code: 'invalid-params' } })
})

test('who is no member calls nobody, and nobody is called who is no member, not there, or another client', async () => {
  const { ann, ben, eve } = await annBenAndEve()
  expect(await call(eve, 'ann', ann)).toMatchObject({ refusal: { code: 'not-a-member' } })
  expect(await call(eve, 'ann', ann, 'no-such')).toMatchObject({ refusal: { code: 'no-such-group' } })
  const answers = [
    await call(ben, 'eve', eve),
    await call(ben, 'nobody', ann),
    await call(ben, 'ann', eve),
    await call(ben, 'ben', ben),
  ]
  const users = ['eve', 'nobody', 'ann', 'ben']
  expect(answers).toEqual(
    users.map((user) => refuse('unavailable', `${user} is not connected to this tracker with that key`)),
  )
  ann.caller.close()
  await ann.hearsClosed()
  await expect.poll(() => call(ben, 'ann', ann)).toMatchObject({ refusal: { code: 'unavailable' } })
  expect([...ben.told, ...eve.told].filter(({ method }) => method === 'peer_calls')).toEqual([])
})

test('a call to a hidden group is answered as any other request for it', async () => {
  const { ann, eve } = await annBenAndEve()
  await ann.change('create_group', { group: 'secret', hidden: true })
  const listed = await eve.request('list_members', { group: 'secret' })
  expect(listed).toMatchObject({ ok: false })
  expect(await call(eve, 'ann', ann, 'secret')).toEqual(listed)
})

test('a client whose program is too old is not called, and the caller is told so', async () => {
  const { ann, ben } = await annBenAndEve({ capabilities: ['folders'] })
  expect(await call(ben, 'ann', ann)).toEqual(
    refuse('unavailable', 'the program of ann is too old to be called'),
  )
})

test('of several clients with a key, the latest is called', async () => {
  const { address, ann, ben } = await annBenAndEve()
  const again = await loggedIn(address, 'ann', { identity: ann.identity })
  expect(await call(ben, 'ann', ann)).toMatchObject({ ok: true })
  await again.hears('peer_calls')
  expect(ann.told.filter(({ method }) => method === 'peer_calls')).toEqual([])
})

test('of the calls of one client that wait to be read, only the latest is kept', () => {
  const lines: string[] = []
  const outlet = {
    sendLine: (line: string) => void lines.push(line),
    isBehind: true,
    close: () => undefined,
    whenDrained: () => drained,
  }
  let drain = (): void => undefined
  const drained = new Promise<void>((resolve) => (drain = resolve))
  const [ann, ben] = [
    aLogin('key-of-ann', outlet, { user: 'ann' }),
    aLogin('key-of-ben', outlet, { user: 'ben' }),
  ]
  const services = {
    sequencer: { state: groupOf('ann', 'ben').state },
    presence: { loginsOf: (user: string) => (user === 'ann' ? [ann] : [ben]) },
    reach: { callPace: new CallPace() },
    nowMs: () => 0,
  }
  const { call_peer } = callHandlers(services as unknown as Services)
  const params = { group: 'g', user: 'ann', key: 'key-of-ann' }
  for (const each of ['first', 'second', 'third'])
    expect(call_peer({ ...params, token: each }, { login: ben } as Requester, 1)).toMatchObject({ ok: true })
  outlet.isBehind = false
  drain()
  return expect.poll(() => lines.map((line) => JSON.parse(line).params.token)).toEqual(['third'])
})

test('one member calls another so often in a minute, and not once more; others still do', async () => {
  const { address, ann, ben } = await annBenAndEve()
  for (let count = 0; count < callsOfPairPerMinute; count++)
    expect(await call(ben, 'ann', ann)).toMatchObject({ ok: true })
  const tooMany = refuse('busy', 'there were too many calls to other clients; try again in a minute')
  expect(await call(ben, 'ann', ann)).toEqual(tooMany)
  // From another machine it is the same user.
  const another = await loggedIn(address, 'ben')
  expect(await call(another, 'ann', ann)).toEqual(tooMany)
  const cem = await loggedIn(address, 'cem')
  await join('g', ann, 'cem', cem)
  expect(await call(cem, 'ann', ann)).toMatchObject({ ok: true })
})

test('a user calls others so often in a minute, is called so often, and not once more', () => {
  const pace = new CallPace()
  for (let count = 0; count < callsOfUserPerMinute; count++)
    expect(pace.take('ann', `user-${count}`, 0)).toBe(true)
  expect(pace.take('ann', 'another', 0)).toBe(false)
  expect(pace.take('ben', 'another', 0)).toBe(true)
  expect(pace.take('ann', 'another', 60_000)).toBe(true)
  for (let count = 0; count < callsToUserPerMinute; count++)
    expect(pace.take(`caller-${count}`, 'cem', 0)).toBe(true)
  expect(pace.take('one-more', 'cem', 0)).toBe(false)
})

test('a call names a group, a user, a key and a token that nobody guesses', async () => {
  const { ann, ben } = await annBenAndEve()
  const key = ann.identity.publicKey
  expect(await ben.request('call_peer', { group: 'g', user: 'ann', key, token: commandId() })).toMatchObject({
    refusal: { code: 'invalid-params' },
  })
})
