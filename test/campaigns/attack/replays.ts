// Whatever somebody got hold of, said once more on another connection: the messages of a login, of a login with a
// session, of a proof between clients, and the encrypted bytes as they were.

import { setTimeout as pause } from 'node:timers/promises'
import { connect } from 'node:net'
import type { TrackerProtocol } from '../../../src/common/protocol/tracker-protocol.ts'
import { protocolVersion } from '../../../src/common/version.ts'
import { makeNonce, proveKey, proveLoginKey } from '../../../src/common/security/challenge.ts'
import { ScramClient } from '../../../src/common/security/scram.ts'
import type { Params } from '../../../src/common/wire/methods.ts'
import { RawPeer } from '../../integration/raw-peer.ts'
import { Line } from '../../integration/recording-proxy.ts'
import { keysOf, TestClient } from '../../tracker/support/test-client.ts'
import { hostilePassword, type Attack, type Battle, type Scene } from './battle.ts'
import { codeOf, greeted, hostileHost, identityOf, loggedIn, must, ticketFor, toSeeder } from './callers.ts'

const user = 'mallory'
const betweenMs = 20
/** Answers to a replay are alerts: shorter than a handshake and these. */
const alertsBytesMax = 4096

type Login = Params<TrackerProtocol, 'login_finish'>

/** A login that is accepted, and what was said at it. */
async function recordedLogin(
  scene: Scene,
): Promise<{ clientFirst: string; finish: Login; session: string; client: TestClient }> {
  const client = await greeted(scene, identityOf(scene, user))
  const { trackerKey, nonce: trackerNonce, binding, identity } = client
  const scram = new ScramClient(user, makeNonce(), binding)
  const { clientFirst } = scram
  const { serverFirst } = must(await client.request('login_start', { clientFirst }))
  const finish = {
    clientFinal: await scram.clientFinal(serverFirst, (salt, count) => keysOf(hostilePassword, salt, count)),
    key: identity.publicKey,
    proof: proveLoginKey(identity, { trackerNonce, trackerKey, user, binding }),
    port: 4000,
  }
  const { session = '' } = must(await client.request('login_finish', finish))
  return { clientFirst, finish, session, client }
}

async function logins({ scene, findings, goesOn, begun }: Battle): Promise<void> {
  const { clientFirst, finish } = await recordedLogin(scene)
  const id = makeNonce()
  begun()
  let count = 0
  const attempt = async (what: string, again: (client: TestClient) => Promise<string>): Promise<void> => {
    // From many addresses, so that more of them are heard.
    const client = await greeted(scene, undefined, `127.0.3.${(count++ % 50) + 1}`)
    findings.onTried()
    const code = await again(client)
    findings.onAnswer(code)
    if (code === 'ok') findings.onGot(what)
    client.caller.close()
    await pause(betweenMs)
  }
  while (goesOn()) {
    await attempt('a login by what was said at another', async (client) => {
      await codeOf(client.request('login_start', { clientFirst }))
      return codeOf(client.request('login_finish', finish))
    })
    await attempt('a login by the end of another', (client) => codeOf(client.request('login_finish', finish)))
    await attempt('an account, by the proof of a login', async (client) => {
      await codeOf(client.request('login_start', { clientFirst }))
      const { clientFinal } = finish
      return codeOf(client.request('delete_account', { id, user, clientFinal }))
    })
  }
}

async function sessions({ scene, findings, goesOn, begun }: Battle): Promise<void> {
  const { session } = await recordedLogin(scene)
  const first = await greeted(scene, identityOf(scene, user))
  const { trackerKey, nonce: trackerNonce, binding, identity } = first
  const resume = {
    session,
    nonce: makeNonce(),
    proof: proveLoginKey(identity, { trackerNonce, trackerKey, user, binding }),
    port: 4000,
  }
  must(await first.request('resume_login', resume))
  begun()
  while (goesOn()) {
    const client = await greeted(scene)
    // As it was said; and as who has the session, and not its key.
    for (const again of [
      () => client.request('resume_login', resume),
      () => client.resume(session, user),
      () => client.request('list_groups', {}),
    ]) {
      findings.onTried()
      const code = await codeOf(again())
      findings.onAnswer(code)
      if (code === 'ok') findings.onGot('a login by a session that was used before')
    }
    client.caller.close()
    await pause(betweenMs)
  }
}

async function proofs({ scene, findings, goesOn, begun }: Battle): Promise<void> {
  const mallory = await loggedIn(scene, user)
  const { identity } = mallory
  const ticket = await ticketFor(mallory, scene.film)
  const hello = { protocol: protocolVersion, program: 'raw', nonce: makeNonce(), ticket }
  const first = await toSeeder(scene, identity)
  const answer = must(await first.caller.request('hello', hello))
  const challenge = {
    callerNonce: hello.nonce,
    responderNonce: answer.nonce,
    callerKey: identity.publicKey,
    responderKey: answer.key,
    binding: first.binding,
  }
  const prove = { proof: proveKey(identity, 'caller', challenge) }
  must(await first.caller.request('prove', prove))
  begun()
  while (goesOn()) {
    const peer = await toSeeder(scene)
    await codeOf(peer.caller.request('hello', hello))
    findings.onTried()
    findings.onAnswer(await codeOf(peer.caller.request('prove', prove)))
    const code = await codeOf(peer.piece(scene.film.fileId, 0))
    if (code === 'ok' || peer.bodyBytes > 0) findings.onGot('a piece by a proof that was used before')
    peer.caller.close()
    await pause(betweenMs)
  }
}

/** What is answered to these bytes until the other end hangs up. */
function answered(port: number, bytes: Buffer): Promise<number> {
  return new Promise((resolve) => {
    let count = 0
    const socket = connect({ port, host: '127.0.0.1', localAddress: hostileHost }, () => socket.write(bytes))
    socket.on('data', (heard: Buffer) => (count += heard.length))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => resolve(count))
  })
}

const made = 'made-by-a-replay'

async function bytes({ scene, findings, goesOn, begun }: Battle): Promise<void> {
  const [tracker, seeder] = [
    await Line.open({ target: { host: '127.0.0.1', port: scene.tracker.port } }),
    await Line.open({ target: { host: '127.0.0.1', port: scene.seederPort } }),
  ]
  const identity = identityOf(scene, user)
  const client = await TestClient.open(
    { host: '127.0.0.1', port: tracker.port },
    { identity, isSecure: true },
  )
  await client.hello()
  must(await client.login(user, hostilePassword))
  must(await client.change('create_group', { group: made }))
  const ticket = await ticketFor(client, scene.film)
  const peer = await RawPeer.open({ host: '127.0.0.1', port: seeder.port }, { identity, isSecure: true })
  if (typeof (await peer.fetch(ticket, scene.film.fileId)) === 'string') throw new Error('nothing to replay')
  must(await client.change('leave_group', { group: made }))
  const recorded = [
    { port: scene.tracker.port, said: tracker.taken.said },
    { port: scene.seederPort, said: seeder.taken.said },
  ]
  begun()
  while (goesOn()) {
    for (const { port, said } of recorded) {
      findings.onTried()
      const count = await answered(port, said)
      findings.onAnswer(count > alertsBytesMax ? 'more than alerts' : 'only alerts')
      if (count > alertsBytesMax) findings.onGot(`${count} bytes for bytes that were said before`)
    }
    const { groups } = must(await client.request('list_groups', { after: 'made' }))
    if (groups.some(({ group }) => group === made)) findings.onGot('a change once more')
    await pause(betweenMs)
  }
  for (const line of [tracker, seeder]) line.close()
}

export const replayAttacks: readonly Attack[] = [
  {
    name: 'the messages of a login once more',
    attacker: 'somebody in between',
    unit: 'replays',
    run: logins,
  },
  {
    name: 'a login with a session once more',
    attacker: 'somebody in between',
    unit: 'replays',
    run: sessions,
  },
  { name: 'a ticket and its proof once more', attacker: 'somebody in between', unit: 'replays', run: proofs },
  { name: 'the encrypted bytes once more', attacker: 'a listener', unit: 'replays', run: bytes },
]
