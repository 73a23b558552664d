// Asks a real tracker everything from every standing, and compares the answers with the table of PROTOCOL.md. So does
// the table by which the state decides.

import { describe, expect, test } from 'vitest'
import { trackerProtocol, type TrackerProtocol } from '../../../src/common/protocol/tracker-protocol.ts'
import type { Answer } from '../../../src/common/refusal.ts'
import { makeNonce } from '../../../src/common/security/challenge.ts'
import { credentialsOf, ScramClient } from '../../../src/common/security/scram.ts'
import { protocolVersion } from '../../../src/common/version.ts'
import type { Method } from '../../../src/common/wire/methods.ts'
import { wordsOf } from '../../../src/tracker/requests/sentences.ts'
import { authorization } from '../../../src/tracker/state/authorization.ts'
import { no } from '../../../src/tracker/state/outcomes.ts'
import type { Tracker } from '../../../src/tracker/tracker.ts'
import { documentedRights } from '../../common/documented-rights.ts'
import { keysOf, TestClient } from '../support/test-client.ts'
import { commandId, runTracker } from '../support/test-tracker.ts'

const rights = documentedRights('no login')
const fileId = 'ab'.repeat(32)
/** Everybody's. */
const password = 'secret'

/** How somebody can stand to a group, and the column that has it. */
const standings = {
  'greeted and not logged in': 'no login',
  'naming a group that is not there': 'no such group',
  'registered, with no relation to the group': 'no standing',
  'asking to join': 'asked to join',
  'a member': 'member',
  'its owner': 'owner',
  'a member who has left': 'no standing',
  'a member who was removed': 'no standing',
  'an owner who has left': 'no standing',
} as const
type Standing = keyof typeof standings

/** Somebody before a request, at a tracker. */
interface Asker {
  readonly tracker: Tracker
  readonly client: TestClient
  readonly user: string
  /** Of an earlier login. */
  readonly session: string
  readonly group: string
  /** Of the user `member`, who is connected. */
  readonly memberKey: string
}

/** A request that is carried out for whoever may make it. */
const requests: Record<Method<TrackerProtocol>, (asker: Asker) => Promise<Answer<object>>> = {
  hello: ({ client }) => client.request('hello', { protocol: protocolVersion, program: 'test' }),
  ping: ({ client }) => client.request('ping', {}),
  register: ({ client }) => client.register('somebody-new', password),
  login_start: ({ client, user }) =>
    client.request('login_start', { clientFirst: new ScramClient(user, commandId(), undefined).clientFirst }),
  login_finish: ({ client, user }) => client.login(user, password),
  resume_login: ({ client, user, session }) => client.resume(session, user),
  logout: ({ client }) => client.request('logout', {}),
  change_password: ({ client, user }) => client.changePassword(user, password, 'better'),
  delete_account: ({ client, user }) => client.deleteAccount(user, password),
  reset_password: async ({ tracker, client, user }) => {
    const line = await tracker.operator.resetPassword(user)
    const code = /[0-9a-f]{32}$/.exec(line)?.[0] ?? line
    return client.change('reset_password', { user, code, ...credentialsOf(await keysOf('better')) })
  },
  create_group: ({ client, group }) => client.change('create_group', { group: `another-than-${group}` }),
  list_groups: ({ client }) => client.request('list_groups', {}),
  join_group: ({ client, group }) => client.change('join_group', { group }),
  list_requests: ({ client, group }) => client.request('list_requests', { group }),
  accept_request: ({ client, group }) => client.change('accept_request', { group, user: 'asker' }),
  reject_request: ({ client, group }) => client.change('reject_request', { group, user: 'asker' }),
  leave_group: ({ client, group }) => client.change('leave_group', { group }),
  list_members: ({ client, group }) => client.request('list_members', { group }),
  remove_member: ({ client, group }) => client.change('remove_member', { group, user: 'member' }),
  share_file: ({ client, group }) =>
    client.change('share_file', { group, name: 'another', fileId, sizeBytes: 1 }),
  unshare_file: ({ client, group }) => client.change('unshare_file', { group, name: 'mine' }),
  list_files: ({ client, group }) => client.request('list_files', { group }),
  list_versions: ({ client, group }) => client.request('list_versions', { group, name: 'mine' }),
  follow_group: ({ client, group }) => client.request('follow_group', { group }),
  unfollow_group: ({ client, group }) => client.request('unfollow_group', { group }),
  find_file: ({ client, group }) => client.request('find_file', { group, name: 'theirs' }),
  forget_file: ({ client, group }) => client.request('forget_file', { group, name: 'theirs' }),
  call_peer: ({ client, group, memberKey: key }) =>
    client.request('call_peer', { group, user: 'member', key, token: makeNonce() }),
  announce: ({ client, group }) =>
    client.request('announce', { files: [{ group, name: 'theirs', fileId, complete: true }] }),
  retract: ({ client, group }) => client.request('retract', { files: [{ group, name: 'theirs', fileId }] }),
}

/** As the table says it. */
function inWords(answer: Answer<object>): string {
  if (!answer.ok) return answer.refusal.code
  return 'refused' in answer.value && (answer.value.refused as unknown[]).length > 0 ? 'refused' : 'yes'
}

/** What must succeed. */
async function done(answer: Promise<Answer<object>>): Promise<object> {
  const came = await answer
  if (!came.ok) throw new Error(came.refusal.sentence)
  return came.value
}

/** People who are there besides whoever asks. */
class Others {
  readonly tracker: Tracker
  readonly #founder: TestClient
  readonly #member: TestClient
  readonly #asker: TestClient

  private constructor(tracker: Tracker, [founder, member, asker]: [TestClient, TestClient, TestClient]) {
    this.tracker = tracker
    this.#founder = founder
    this.#member = member
    this.#asker = asker
  }

  static async at(tracker: Tracker): Promise<Others> {
    const clients = ['founder', 'member', 'asker'].map((user) => TestClient.loggedIn(tracker.address, user))
    return new Others(tracker, (await Promise.all(clients)) as [TestClient, TestClient, TestClient])
  }

  /** Somebody new who stands so to a new group. */
  async asker(standing: Standing, number: number): Promise<Asker> {
    const [user, group] = [`user-${number}`, `group-${number}`]
    const client = await TestClient.connect(this.tracker.address)
    await client.hello()
    await done(client.register(user, password))
    const { session = '' } = (await done(client.login(user, password))) as { session?: string }
    const owns = standing === 'its owner' || standing === 'an owner who has left'
    const founder = owns ? client : this.#founder
    if (standing !== 'naming a group that is not there') await this.#found(group, founder)
    if (standing === 'asking to join') await done(client.change('join_group', { group }))
    if (standing.startsWith('a member')) await this.#join(group, user, client, founder)
    if (owns || standing.startsWith('a member')) await this.#use(group, client)
    if (standing.endsWith('has left')) await done(client.change('leave_group', { group }))
    if (standing === 'a member who was removed') await done(founder.change('remove_member', { group, user }))
    if (standing === 'greeted and not logged in') await done(client.request('logout', {}))
    return { tracker: this.tracker, client, user, session, group, memberKey: this.#member.identity.publicKey }
  }

  /** A group with a file of a member, and somebody who waits. */
  async #found(group: string, founder: TestClient): Promise<void> {
    await done(founder.change('create_group', { group }))
    await this.#join(group, 'member', this.#member, founder)
    await done(this.#member.change('share_file', { group, name: 'theirs', fileId, sizeBytes: 1 }))
    await done(this.#asker.change('join_group', { group }))
  }

  async #join(group: string, user: string, client: TestClient, founder: TestClient): Promise<void> {
    await done(client.change('join_group', { group }))
    await done(founder.change('accept_request', { group, user }))
  }

  /** Shares a file, announces one and gets a ticket: all that could outlast a membership. */
  async #use(group: string, client: TestClient): Promise<void> {
    await done(client.change('share_file', { group, name: 'mine', fileId, sizeBytes: 1 }))
    await done(client.request('announce', { files: [{ group, name: 'mine', fileId, complete: true }] }))
    await done(client.request('find_file', { group, name: 'theirs' }))
  }
}

test('the table says of every request who may make it', () => {
  expect([...rights.keys()].toSorted()).toEqual(Object.keys(trackerProtocol.requests).toSorted())
  expect(Object.keys(requests)).toEqual(Object.keys(trackerProtocol.requests))
  for (const [, columns] of rights)
    expect([...columns.keys()]).toEqual([...new Set<string>(Object.values(standings))])
})

describe('what is answered, from every standing, is what the table says, and a refusal changes nothing:', () => {
  test.each(Object.entries(requests))('%s', async (method, request) => {
    const others = await Others.at(await runTracker())
    const answers: Record<string, string> = {}
    for (const [number, standing] of (Object.keys(standings) as Standing[]).entries()) {
      const asker = await others.asker(standing, number)
      const before = others.tracker.digest()
      const answer = inWords(await request(asker))
      answers[standing] = answer
      if (answer !== 'yes') expect(others.tracker.digest()).toBe(before)
      // The next one registers the same name.
      if (method === 'register') await others.tracker.operator.removeUser('somebody-new')
    }
    const expected = Object.entries(standings).map(([standing, column]) => [
      standing,
      rights.get(method)?.get(column),
    ])
    expect(answers).toEqual(Object.fromEntries(expected))
  })
})

test('the table by which the state decides is that of the document', () => {
  const columns = {
    none: 'no standing',
    requested: 'asked to join',
    member: 'member',
    owner: 'owner',
  } as const
  for (const [method, inState] of Object.entries(authorization)) {
    const row = rights.get(method)
    for (const [standing, column] of Object.entries(columns)) {
      const answer = inState[standing as keyof typeof columns]
      const code = answer === 'may' ? 'yes' : wordsOf(no(answer, 'g'))[0]
      // An announce lists what is refused instead of refusing all.
      const told = method === 'announce' && code !== 'yes' ? 'refused' : code
      expect([method, column, row?.get(column)]).toEqual([method, column, told])
    }
  }
})
