// The bounds must agree with each other: what the protocol allows to be said fits what is read.

import * as v from 'valibot'
import { expect, test } from 'vitest'
import {
  announceBatchFiles,
  fileNameBytesMax,
  lineBytesBeforeLogin,
  lineBytesMax,
  pageEntries,
  peersPerFileMax,
  pieceBytes,
  pieceCountMax,
} from '../../src/common/limits.ts'
import { trackerProtocol } from '../../src/common/protocol/tracker-protocol.ts'
import { makeIdentity } from '../../src/common/security/identity.ts'
import { signTicket } from '../../src/common/security/ticket.ts'
import { encodeLine } from '../../src/common/wire/frames.ts'
import { notificationMessage, requestMessage, resultLine } from '../../src/common/wire/messages.ts'

const id = Number.MAX_SAFE_INTEGER
const longName = 'x'.repeat(32)
/** The name that takes the most bytes in JSON: each quote is written as two. */
const longFileName = '"'.repeat(fileNameBytesMax)
const key = makeIdentity().publicKey
const version = { group: longName, name: longFileName, fileId: 'f'.repeat(64) }
const sizeBytes = pieceCountMax * pieceBytes
const peer = { user: longName, host: '255.255.255.255', port: 65_535, key, complete: false }
const ticket = signTicket(makeIdentity(), {
  user: longName,
  group: longName,
  key,
  position: id,
  expiresMs: id,
})

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value)
}

const files = times(pageEntries, { name: longFileName, sizeBytes, seeders: 999_999 })
const groups = times(pageEntries, {
  group: longName,
  owner: longName,
  members: 999_999,
  standing: 'requested',
})
const peers = times(peersPerFileMax, peer)
const announced = times(announceBatchFiles, { ...version, complete: false })
const { announce, find_file, list_files, list_groups } = trackerProtocol.requests

test.each([
  ['a page of files', list_files.result, { files, more: false }],
  ['a page of groups', list_groups.result, { groups, more: false }],
  ['a whole swarm', find_file.result, { fileId: version.fileId, sizeBytes, peers, ticket, expiresMs: id }],
  ['an announce of many files', announce.params, { files: announced }],
  [
    'a refusal of all of them',
    announce.result,
    { refused: announced.map(({ group, name }) => ({ group, name })) },
  ],
  [
    'a swarm that changed wholly',
    trackerProtocol.toCaller.swarm_changed,
    { ...version, joined: peers, left: times(peersPerFileMax, key) },
  ],
])('%s fits a line', (_what, schema, value) => {
  expect(v.is(schema, value)).toBe(true)
  for (const line of [
    resultLine(id, value),
    encodeLine(requestMessage(id, 'announce', value)),
    encodeLine(notificationMessage('swarm_changed', value)),
  ]) {
    expect(Buffer.byteLength(line) - 1).toBeLessThanOrEqual(lineBytesMax)
  }
})

test('what is said before login fits a line before login', () => {
  const text = '"'.repeat(1024)
  const proof = 's'.repeat(86)
  for (const params of [
    { protocol: 1, program: '"'.repeat(64), nonce: 'n'.repeat(64), ticket },
    { clientFinal: text, key, proof, port: 65_535 },
  ]) {
    const line = encodeLine(requestMessage(id, 'login_finish', params))
    expect(Buffer.byteLength(line) - 1).toBeLessThanOrEqual(lineBytesBeforeLogin)
  }
  expect(ticket.length).toBeLessThanOrEqual(1024)
})
