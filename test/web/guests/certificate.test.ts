// The certificate that guests are shown.

import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { expect, onTestFinished, test, vi } from 'vitest'
import { GuestService } from '../../../src/client/guest-service.ts'
import { keptCertificate, ownCertificate } from '../../../src/web/guests/guest-certificate.ts'
import { temporaryFolder } from '../../client/temporary-folder.ts'

/** Far longer than anything here takes, also on a machine that is busy with other tests. */
const patienceMs = 30_000

const listen = { host: '127.0.0.1', port: 0 }

/** A certificate for these names, with its key, that openssl makes. */
function pemFor(names: readonly string[], path: string): void {
  const [key, cert] = [`${path}.key`, `${path}.cert`]
  const subject = [
    '-subj',
    '/CN=guests',
    '-addext',
    `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`,
  ]
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1']
  execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  })
  writeFileSync(path, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 })
}

async function shownAt(origin: string): Promise<string> {
  const { port } = new URL(origin)
  const socket = connect({ port: Number(port), host: '127.0.0.1', rejectUnauthorized: false })
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

function serviceOf(
  options: Partial<ConstructorParameters<typeof GuestService>[0]>,
): GuestService & { troubles: string[] } {
  const troubles: string[] = []
  const service = new GuestService({
    listen,
    folder: temporaryFolder(),
    onTrouble: (sentence) => troubles.push(sentence),
    onFailure: (error) => troubles.push(String(error)),
    lookEveryMs: 10,
    ...options,
  })
  onTestFinished(() => service.close())
  return Object.assign(service, { troubles })
}

const noLinks = { find: () => undefined }

test('one that is made is kept for the owner alone, and shown again after a restart', async () => {
  const folder = temporaryFolder()
  const made = keptCertificate(folder)
  expect(keptCertificate(folder)).toEqual(made)
  expect(statSync(join(folder, 'guest_certificate.pem')).mode & 0o777).toBe(0o600)
  const service = serviceOf({ folder })
  await service.start(noLinks)
  expect(service.place).toMatchObject({ fingerprint: made.fingerprint, pin: made.pin })
  expect(await shownAt(service.place?.origin ?? '')).toBe(made.fingerprint)
})

test('one that is made is what openssl takes for a good one, with a key that browsers know', () => {
  const folder = temporaryFolder()
  keptCertificate(folder)
  const path = join(folder, 'guest_certificate.pem')
  expect(execFileSync('openssl', ['verify', '-CAfile', path, path], { encoding: 'utf8' })).toContain('OK')
  expect(execFileSync('openssl', ['x509', '-in', path, '-noout', '-text'], { encoding: 'utf8' })).toMatch(
    /ecdsa-with-SHA256[^]+P-256/,
  )
})

test('one of the user’s is shown, links carry its first name, and it is read again when it changes', async () => {
  const path = join(temporaryFolder(), 'own.pem')
  pemFor(['*.example.org', 'files.example.org', 'other.example.org'], path)
  const service = serviceOf({ certificate: path })
  await service.start(noLinks)
  const origin = service.place?.origin ?? ''
  expect({ ...service.place, close: undefined }).toEqual({
    close: undefined,
    origin: expect.stringMatching(/^https:\/\/files\.example\.org:\d+$/),
  })
  const first = await shownAt(origin)
  expect(first).toBe(ownCertificate(path).fingerprint)

  pemFor(['files.example.org'], `${path}.new`)
  copyFileSync(`${path}.new`, path)
  await vi.waitFor(
    async () => expect(await shownAt(origin)).toBe(ownCertificate(path).fingerprint),
    patienceMs,
  )
  const second = await shownAt(origin)
  expect(second).not.toBe(first)

  writeFileSync(path, 'nonsense')
  await vi.waitFor(
    () =>
      expect(service.troubles).toEqual([
        expect.stringMatching(/cannot be used: .*; guests are shown the one before$/),
      ]),
    patienceMs,
  )
  expect(await shownAt(origin)).toBe(second)
})

test('one that everybody can read, has no key, or another key is refused with what is wrong', () => {
  const folder = temporaryFolder()
  const [one, other] = [join(folder, 'one.pem'), join(folder, 'other.pem')]
  pemFor(['a.example'], one)
  pemFor(['b.example'], other)
  chmodSync(one, 0o604)
  expect(() => ownCertificate(one)).toThrow(`run: chmod o= ${one}`)
  chmodSync(one, 0o640)
  expect(ownCertificate(one).name).toBe('a.example')
  copyFileSync(`${one}.cert`, other)
  expect(() => ownCertificate(other)).toThrow(/cannot be used/)
  chmodSync(other, 0o600)
  writeFileSync(other, readFileSync(`${one}.cert`, 'utf8') + readFileSync(`${other}.key`, 'utf8'))
  expect(() => ownCertificate(other)).toThrow('its key is not that of its first certificate')
  expect(() => ownCertificate(join(folder, 'none.pem'))).toThrow(/cannot be used/)
})

test('an address that is taken is a sentence at the start', async () => {
  const service = serviceOf({})
  await service.start(noLinks)
  const port = Number(new URL(service.place?.origin ?? '').port)
  await expect(serviceOf({ listen: { host: '127.0.0.1', port } }).start(noLinks)).rejects.toThrow(
    /cannot listen on/,
  )
})
