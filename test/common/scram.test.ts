// SCRAM-SHA-256, both ends. The first test is the example of RFC 7677, section 3.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Failure } from '../../src/common/failure.ts'
import { scramIterationsMax, scramIterationsMin } from '../../src/common/limits.ts'
import {
  checkClientFinal,
  credentialsOf,
  deriveKeys,
  madeUpCredentials,
  parseClientFirst,
  ScramClient,
  serverFirstMessage,
  type Credentials,
} from '../../src/common/security/scram.ts'

const rfc = {
  clientNonce: 'rOprNGfwEbeRWgbNEkqO',
  serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  salt: 'W22ZaJ0SNY7soEsUEjb6gQ==',
  iterations: 4096,
  proof: 'dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  serverSignature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
}

/** Few iterations: what is tested here does not depend on their number. */
const iterations = 2

async function credentials(password: string, count = iterations): Promise<Credentials> {
  return credentialsOf(await deriveKeys(password, rfc.salt, count))
}

/** A whole login: what the server says at the end, and whether the client believes it. */
async function login(
  password: string,
  kept: Credentials,
  user = 'user',
): Promise<{ final?: string; genuine: boolean }> {
  const client = new ScramClient(user, rfc.clientNonce)
  const first = parseClientFirst(client.clientFirst)
  if (first === undefined) throw new Error('the server cannot read the first message')
  expect(first.user).toBe(user)
  const serverFirst = serverFirstMessage(first.nonce, rfc.serverNonce, kept)
  const clientFinal = await client.clientFinal(serverFirst, (...where) => deriveKeys(password, ...where), 1)
  const final = checkClientFinal(first.bare, serverFirst, clientFinal, kept)
  return final === undefined ? { genuine: false } : { final, genuine: client.isServerGenuine(final) }
}

test('the example of RFC 7677 comes out byte by byte', async () => {
  const client = new ScramClient('user', rfc.clientNonce)
  expect(client.clientFirst).toBe(`n,,n=user,r=${rfc.clientNonce}`)
  const kept = await credentials('pencil', rfc.iterations)
  const serverFirst = serverFirstMessage(rfc.clientNonce, rfc.serverNonce, kept)
  expect(serverFirst).toBe(`r=${rfc.clientNonce}${rfc.serverNonce},s=${rfc.salt},i=4096`)
  const clientFinal = await client.clientFinal(
    serverFirst,
    (...where) => deriveKeys('pencil', ...where),
    4096,
  )
  expect(clientFinal).toBe(`c=biws,r=${rfc.clientNonce}${rfc.serverNonce},p=${rfc.proof}`)
  const final = checkClientFinal(`n=user,r=${rfc.clientNonce}`, serverFirst, clientFinal, kept)
  expect(final).toBe(`v=${rfc.serverSignature}`)
  expect(client.isServerGenuine(final ?? '')).toBe(true)
})

test('the right password logs in and a wrong one does not', async () => {
  const kept = await credentials('correct horse')
  expect(await login('correct horse', kept)).toMatchObject({ genuine: true })
  expect(await login('Correct horse', kept)).toEqual({ genuine: false })
  expect(await login('', kept)).toEqual({ genuine: false })
})

test('a user name with the separators of the messages keeps its name', async () => {
  expect(await login('x', await credentials('x'), 'a=b,c==2C')).toMatchObject({ genuine: true })
})

test('the same letters typed on another keyboard are the same password', async () => {
  const kept = await credentials('u\u0308ber')
  expect(await login('\u00fcber', kept)).toMatchObject({ genuine: true })
})

test('a server that does not know the credentials is not believed', async () => {
  const client = new ScramClient('user', rfc.clientNonce)
  expect(client.isServerGenuine(`v=${rfc.serverSignature}`)).toBe(false)
  const kept = await credentials('x')
  const serverFirst = serverFirstMessage(rfc.clientNonce, rfc.serverNonce, kept)
  await client.clientFinal(serverFirst, (...where) => deriveKeys('x', ...where), 1)
  for (const final of ['', 'v=', 'v=AAAA', `v=${rfc.serverSignature}`, 'e=other-error', 'p=x']) {
    expect(client.isServerGenuine(final)).toBe(false)
  }
})

test.each([
  ['another nonce', `r=somethingelse,s=${rfc.salt},i=200000`],
  ["the client's nonce alone", `r=${rfc.clientNonce},s=${rfc.salt},i=200000`],
  ['no nonce', `s=${rfc.salt},i=200000`],
  ['no salt', `r=${rfc.clientNonce}x,i=200000`],
  ['no iterations', `r=${rfc.clientNonce}x,s=${rfc.salt}`],
  ['iterations that are no number', `r=${rfc.clientNonce}x,s=${rfc.salt},i=many`],
  ['a broken number of iterations', `r=${rfc.clientNonce}x,s=${rfc.salt},i=200000.5`],
  ['too few iterations', `r=${rfc.clientNonce}x,s=${rfc.salt},i=${scramIterationsMin - 1}`],
  ['too many iterations', `r=${rfc.clientNonce}x,s=${rfc.salt},i=${scramIterationsMax + 1}`],
  ['nothing', ''],
])('a challenge with %s is refused before any work is done', async (_what, serverFirst) => {
  const client = new ScramClient('user', rfc.clientNonce)
  const never = (): Promise<never> => {
    throw new Error('the password was used')
  }
  await expect(client.clientFinal(serverFirst, never)).rejects.toThrow(Failure)
})

test('a proof for one challenge is no proof for another', async () => {
  const kept = await credentials('x')
  const client = new ScramClient('user', rfc.clientNonce)
  const bare = `n=user,r=${rfc.clientNonce}`
  const serverFirst = serverFirstMessage(rfc.clientNonce, 'one', kept)
  const clientFinal = await client.clientFinal(serverFirst, (...where) => deriveKeys('x', ...where), 1)
  const other = serverFirstMessage(rfc.clientNonce, 'two', kept)
  expect(checkClientFinal(bare, other, clientFinal, kept)).toBeUndefined()
  expect(checkClientFinal(bare, other, clientFinal.replace(',r=', ',r=x'), kept)).toBeUndefined()
  expect(checkClientFinal(bare, serverFirst, clientFinal.replace('c=biws', 'c=eSws'), kept)).toBeUndefined()
  expect(checkClientFinal(`n=admin,r=${rfc.clientNonce}`, serverFirst, clientFinal, kept)).toBeUndefined()
  expect(checkClientFinal(bare, serverFirst, clientFinal, kept)).toBeDefined()
})

test('no junk in place of a proof logs in or throws', async () => {
  const kept = await credentials('x')
  const serverFirst = serverFirstMessage(rfc.clientNonce, 'n', kept)
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String({ maxLength: 64 })), (junk) => {
      const answers = [junk, `c=biws,r=${rfc.clientNonce}n,p=${junk}`]
      return answers.every((text) => checkClientFinal('n=u,r=x', serverFirst, text, kept) === undefined)
    }),
  )
})

test('the first message must name a user and a nonce', () => {
  for (const text of [
    '',
    'n,,',
    'n,,n=user',
    'n,,n=user,r=',
    'y,,n=user,r=abc',
    'n,,n=us,er,r=a b',
    'n,a=x,n=u,r=a',
  ]) {
    expect(parseClientFirst(text)).toBeUndefined()
  }
})

test('made-up credentials are stable for a name, and different for another', () => {
  const one = madeUpCredentials('secret', 'nobody', 600_000)
  expect(madeUpCredentials('secret', 'nobody', 600_000)).toEqual(one)
  expect(madeUpCredentials('secret', 'noone', 600_000).salt).not.toBe(one.salt)
  expect(madeUpCredentials('other', 'nobody', 600_000).salt).not.toBe(one.salt)
  expect(Buffer.from(one.salt, 'base64')).toHaveLength(16)
})
