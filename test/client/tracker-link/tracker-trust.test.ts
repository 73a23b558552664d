import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { meetTrackers } from '../../../src/client/tracker-link/meet-trackers.ts'
import { TrackerLink } from '../../../src/client/tracker-link/tracker-link.ts'
import { TrackerTrust } from '../../../src/client/tracker-link/tracker-trust.ts'
import { fingerprintOf, makeIdentity } from '../../../src/common/security/identity.ts'
import { Protection } from '../../../src/common/wire/protection.ts'
import { handshakeByte } from '../../../src/common/wire/tls.ts'
import { runTracker, temporaryFolder } from '../../tracker/support/test-tracker.ts'
import { linkOptions } from './linked.ts'

const address = { host: '192.168.1.10', port: 9002 }
const [one, other] = [makeIdentity().publicKey, makeIdentity().publicKey]

test('a tracker is known by the fingerprint of its line, and a changed key is refused with both', () => {
  const trust = new TrackerTrust(temporaryFolder(), [{ ...address, pin: fingerprintOf(one) }])
  expect(trust.check(address, one)).toBeUndefined()
  const { message } = trust.check(address, other) as Error
  expect(message).toContain(`another key: ${fingerprintOf(other)} instead of ${fingerprintOf(one)}`)
})

test('one that was never met is refused with the line to add', () => {
  const trust = new TrackerTrust(temporaryFolder(), [address])
  const { message } = trust.check(address, one) as Error
  expect(message).toContain(`192.168.1.10:9002 ${fingerprintOf(one)}`)
})

test('what was trusted once is remembered, for the owner alone, and the list has the last word', () => {
  const folder = temporaryFolder()
  new TrackerTrust(folder, [address]).remember(address, one)
  expect(statSync(join(folder, 'known_trackers')).mode & 0o777).toBe(0o600)
  expect(new TrackerTrust(folder, [address]).check(address, one)).toBeUndefined()
  expect(new TrackerTrust(folder, [address]).check(address, other)).toBeInstanceOf(Error)
  const listed = new TrackerTrust(folder, [{ ...address, pin: fingerprintOf(other) }])
  expect([listed.check(address, other), listed.check(address, one)]).toEqual([undefined, expect.any(Error)])
})

test('a damaged memory of trackers is said, and nobody is trusted by mistake', () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'known_trackers'), '192.168.1.10:9002 sha256:short\n')
  expect(() => new TrackerTrust(folder, [address])).toThrow(
    /not a fingerprint.*move it away to be asked again/,
  )
})

test('at the first meeting a person is asked once, with the key that the tracker shows', async () => {
  const tracker = await runTracker(undefined, 1, undefined, 'always')
  const folder = temporaryFolder()
  const questions: string[] = []
  const meet = (answer?: boolean): Promise<void> =>
    meetTrackers({
      trackers: [tracker.address],
      listen: { host: '127.0.0.1', port: 0 },
      protection: new Protection(makeIdentity().forTls, 'always'),
      trust: new TrackerTrust(folder, [tracker.address]),
      ask:
        answer === undefined
          ? undefined
          : (question) => {
              questions.push(question)
              return Promise.resolve(answer)
            },
    })
  await expect(meet()).rejects.toThrow(tracker.fingerprint)
  await expect(meet(false)).rejects.toThrow('is not trusted; nothing was sent to it')
  await meet(true)
  await meet(false)
  expect(questions).toHaveLength(2)
  expect(questions[0]).toContain(tracker.fingerprint)
  expect(readFileSync(join(folder, 'known_trackers'), 'utf8')).toContain(tracker.fingerprint)
})

// While the tracker is down, another user of the machine can listen in its place.
test('a tracker with a fingerprint is spoken to with TLS on this machine too', async () => {
  const impostor = createServer()
  await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void impostor.close())
  const there = { host: '127.0.0.1', port: (impostor.address() as AddressInfo).port }
  const options = linkOptions([there], { told: () => ({}), onAllDown: () => undefined } as never)
  const trust = new TrackerTrust(temporaryFolder(), [{ ...there, pin: fingerprintOf(one) }])
  const link = new TrackerLink({ ...options, trust })
  onTestFinished(() => link.stop())
  link.start()
  const [socket] = (await once(impostor, 'connection')) as [Socket]
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  expect(bytes[0]).toBe(handshakeByte)
})
