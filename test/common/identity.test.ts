import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadIdentity, makeIdentity, verifySignature } from '../../src/common/security/identity.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coterie-identity-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('an identity is made once and is the same from then on', () => {
  const inside = join(folder, 'new', 'data')
  const first = loadIdentity(inside)
  const second = loadIdentity(inside)
  expect(second.publicKey).toBe(first.publicKey)
  expect(verifySignature(first.publicKey, second.sign('test', 'x'), 'test', 'x')).toBe(true)
})

test('only the owner can read the identity and its folder', () => {
  const inside = join(folder, 'data')
  loadIdentity(inside)
  expect(statSync(join(inside, 'identity.pem')).mode & 0o777).toBe(0o600)
  expect(statSync(inside).mode & 0o777).toBe(0o700)
  expect(readdirSync(inside)).toEqual(['identity.pem'])
})

test('an identity that others can read is refused with what to do', () => {
  loadIdentity(folder)
  const path = join(folder, 'identity.pem')
  for (const mode of [0o644, 0o640, 0o602]) {
    chmodSync(path, mode)
    expect(() => loadIdentity(folder)).toThrow(
      `get at the identity key ${path}; if nobody has, run: chmod 600`,
    )
  }
  chmodSync(path, 0o600)
  loadIdentity(folder)
})

const ecKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
test.each([
  ['empty', ''],
  ['junk', 'not a key'],
  ['cut', '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n'],
  ['a key of another kind', ecKey.export({ type: 'pkcs8', format: 'pem' })],
])('an identity file that is %s is reported with what to do, and left alone', (_what, content) => {
  const path = join(folder, 'identity.pem')
  writeFileSync(path, content)
  expect(() => loadIdentity(folder)).toThrow(
    `the identity key ${path} is damaged; move it away to get a new one`,
  )
  expect(statSync(path).size).toBe(Buffer.byteLength(content))
})

test('an identity file that cannot be read is reported', () => {
  mkdirSync(join(folder, 'identity.pem'))
  expect(() => loadIdentity(folder)).toThrow(`cannot read the identity key ${join(folder, 'identity.pem')}`)
})

test('a signature holds for its key, its context and its parts in their places, and for nothing else', () => {
  const [one, other] = [makeIdentity(), makeIdentity()]
  const signature = one.sign('context', 'ab', 'c')
  expect(verifySignature(one.publicKey, signature, 'context', 'ab', 'c')).toBe(true)
  expect(verifySignature(other.publicKey, signature, 'context', 'ab', 'c')).toBe(false)
  expect(verifySignature(one.publicKey, signature, 'other', 'ab', 'c')).toBe(false)
  expect(verifySignature(one.publicKey, signature, 'context', 'a', 'bc')).toBe(false)
  expect(verifySignature(one.publicKey, signature, 'context', 'ab', 'c', '')).toBe(false)
})

test('anything malformed is no signature, and does not throw', () => {
  const identity = makeIdentity()
  const { publicKey } = identity
  const signature = identity.sign('context')
  for (const key of ['', 'x', publicKey.slice(1), `${publicKey}=`, '_'.repeat(43), '\u0000']) {
    expect(verifySignature(key, signature, 'context')).toBe(false)
  }
  for (const text of ['', 'x', signature.slice(1), `${signature}=`, ` ${signature}`, '_'.repeat(86)]) {
    expect(verifySignature(publicKey, text, 'context')).toBe(false)
  }
})
