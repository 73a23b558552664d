// Guesses: at the password of a user, at one-time codes, and at who has an account.

import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { makeNonce, proveLoginKey } from '../../../src/common/security/challenge.ts'
import { ScramClient, type ClientKeys } from '../../../src/common/security/scram.ts'
import {
  failedAttemptsOfLoopbackPerMinute,
  failedAttemptsOfUserPerMinute,
} from '../../../src/tracker/limits.ts'
import type { TestClient } from '../../tracker/support/test-client.ts'
import type { Attack, Battle } from './battle.ts'
import { codeOf, greeted } from './callers.ts'

/** His addresses: together they may guess at one user no faster than one. */
const hosts = Array.from({ length: 20 }, (_, index) => `127.0.3.${index + 1}`)
const victim = 'ben'
/** One that is closed, or has used up its tries, comes again. */
const triesEach = 20
const pauseMs = 5

/** How many failures are heard in this time: as many as the bound at once, and as many in each minute. */
function heardMax(perMinute: number, sinceMs: number): number {
  return perMinute + Math.ceil((perMinute * (performance.now() - sinceMs)) / 60_000)
}

/** Guesses are derived beforehand, so that no time is lost on them here: any key will do. */
function someKeys(salt: string, iterations: number): Promise<ClientKeys> {
  return Promise.resolve({ salt, iterations, clientKey: randomBytes(32), serverKey: randomBytes(32) })
}

/** A proof with a wrong password, for the next request on this connection; undefined when none is asked for. */
async function wrongProof(client: TestClient, user: string): Promise<string | undefined> {
  const scram = new ScramClient(user, makeNonce(), client.binding)
  const start = await client.request('login_start', { clientFirst: scram.clientFirst })
  return start.ok ? scram.clientFinal(start.value.serverFirst, someKeys) : undefined
}

async function logIn(client: TestClient, user: string): Promise<string> {
  const clientFinal = await wrongProof(client, user)
  if (clientFinal === undefined) return 'too-many-attempts'
  const { trackerKey, nonce: trackerNonce, binding, identity } = client
  const proof = proveLoginKey(identity, { trackerNonce, trackerKey, user, binding })
  return codeOf(client.request('login_finish', { clientFinal, key: identity.publicKey, proof, port: 4000 }))
}

/** Every way in which a password counts. */
async function prove(client: TestClient, user: string, count: number): Promise<string> {
  if (count % 3 === 0) return logIn(client, user)
  const clientFinal = await wrongProof(client, user)
  if (clientFinal === undefined) return 'too-many-attempts'
  if (count % 3 === 1) return codeOf(client.change('delete_account', { user, clientFinal }))
  return codeOf(client.change('change_password', { user, clientFinal, ...credentials() }))
}

function credentials(): { salt: string; iterations: number; storedKey: string; serverKey: string } {
  const key = (): string => randomBytes(32).toString('base64')
  return { salt: randomBytes(16).toString('base64'), iterations: 600_000, storedKey: key(), serverKey: key() }
}

/** Tries this from all addresses at once. */
async function fromAll(
  battle: Battle,
  attempt: (client: TestClient, count: number) => Promise<string>,
): Promise<void> {
  const { scene, findings, goesOn, begun } = battle
  begun()
  const from = async (host: string): Promise<void> => {
    while (goesOn()) {
      try {
        const client = await greeted(scene, undefined, host)
        for (let count = 0; count < triesEach && goesOn(); count++) {
          findings.onTried()
          findings.onAnswer(await attempt(client, count))
          await pause(pauseMs)
        }
        client.caller.close()
      } catch {
        findings.onAnswer('closed')
        await pause(pauseMs)
      }
    }
  }
  await Promise.all(hosts.map(from))
}

async function passwords(battle: Battle): Promise<void> {
  const { findings } = battle
  const startedMs = performance.now()
  await fromAll(battle, (client, count) => prove(client, victim, count))
  if (findings.answered('ok') > 0) findings.onGot(`the account of ${victim}`)
  const heard = findings.answered('login-failed')
  const max = heardMax(failedAttemptsOfUserPerMinute, startedMs)
  findings.note('guesses heard', `${heard} of at most ${max}`)
  if (heard > max) findings.onGot('more guesses than he may have')
}

async function codes(battle: Battle): Promise<void> {
  const { findings } = battle
  const startedMs = performance.now()
  const code = (): string => randomBytes(16).toString('hex')
  await fromAll(battle, (client, count) =>
    codeOf(
      count % 2 === 0
        ? client.change('reset_password', { user: victim, code: code(), ...credentials() })
        : client.change('register', { user: `x${count}`, invite: code(), ...credentials() }),
    ),
  )
  if (findings.answered('ok') > 0) findings.onGot('an account, or another password of one')
  // Of no user in particular, those of registrations.
  const max = hosts.length * heardMax(failedAttemptsOfLoopbackPerMinute, startedMs)
  if (findings.answered('wrong-code') > max) findings.onGot('more guesses than he may have')
}

/** What a stranger is told of a user, apart from what is random. */
async function toldOf(
  client: TestClient,
  user: string,
): Promise<{ shape: string; salt: string; ms: number }> {
  const startedMs = performance.now()
  const scram = new ScramClient(user, makeNonce(), client.binding)
  const start = await client.request('login_start', { clientFirst: scram.clientFirst })
  const { serverFirst } = start.ok ? start.value : { serverFirst: start.refusal.code }
  const ms = performance.now() - startedMs
  const salt = /,s=([^,]*)/.exec(serverFirst)?.[1] ?? ''
  const rest = serverFirst.replace(/^r=[^,]*/, (nonce) => `${nonce.length}`).replace(salt, `${salt.length}`)
  return { shape: rest, salt, ms }
}

async function users(battle: Battle): Promise<void> {
  const { scene, findings, goesOn, begun } = battle
  const shapes = new Set<string>()
  const times = { there: [] as number[], 'not there': [] as number[] }
  const salts = new Map<string, string>()
  begun()
  for (let number = 0; goesOn(); number++) {
    const client = await greeted(scene, undefined, hosts[number % hosts.length])
    for (const user of ['ann', 'nobody-1', 'ben', 'nobody-2']) {
      const isThere = !user.startsWith('nobody')
      const { shape, salt, ms } = await toldOf(client, user)
      findings.onTried()
      findings.onAnswer(shape)
      shapes.add(shape)
      times[isThere ? 'there' : 'not there'].push(ms)
      if ((salts.get(user) ?? salt) !== salt) findings.onGot(`the salt of ${user} changes`)
      salts.set(user, salt)
    }
    // Of what comes next the answer may not tell anything, either.
    const reset = { code: randomBytes(16).toString('hex'), ...credentials() }
    const [there, not] = [
      await codeOf(client.change('reset_password', { user: 'ann', ...reset })),
      await codeOf(client.change('reset_password', { user: 'nobody-1', ...reset })),
    ]
    if (there !== not && ![there, not].includes('too-many-attempts'))
      findings.onGot(`who has an account: a code is answered ${there}, or ${not}`)
    client.caller.close()
    await pause(pauseMs)
  }
  const middle = (all: number[]): string => `${all.toSorted((a, b) => a - b)[all.length >> 1]?.toFixed(2)} ms`
  findings.note(
    'who is there is answered in',
    `${middle(times.there)}, who is not in ${middle(times['not there'])}`,
  )
  if (shapes.size > 1) findings.onGot(`who has an account: ${[...shapes].join(' or ')}`)
}

export const guessAttacks: readonly Attack[] = [
  {
    name: 'guesses at the password of the honest user',
    attacker: 'an outsider',
    unit: 'guesses',
    run: passwords,
  },
  {
    name: 'guesses at codes for a new password, and at invitations',
    attacker: 'an outsider',
    unit: 'guesses',
    run: codes,
    // There are codes to be guessed.
    before: ['registration invited', 'invite', `reset_password ${victim}`],
    after: ['registration open'],
  },
  { name: 'guesses at who has an account', attacker: 'an outsider', unit: 'guesses', run: users },
]
