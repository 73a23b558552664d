// What a person hears at the start of a prompt.

import { expect, test } from 'vitest'
import { firstWords } from '../../../src/client/prompt/first-words.ts'
import type { Line } from '../../../src/common/terminal/line.ts'
import { Failure } from '../../../src/common/failure.ts'
import { accept } from '../../../src/common/refusal.ts'
import { fakeClient } from './fake-operations.ts'

async function* contact(): AsyncGenerator<string> {
  yield 'no answer from tracker 127.0.0.5:25002; is it running? this client keeps trying'
  yield 'tracker 127.0.0.5:25002 answers'
}

async function heard(client: ReturnType<typeof fakeClient>): Promise<string[]> {
  const lines: Line[] = []
  await firstWords(
    { operations: client.operations, contact: contact(), showReading: () => undefined },
    (line) => lines.push(line),
  )
  return lines.map(({ text }) => text)
}

const answers = [
  'no answer from tracker 127.0.0.5:25002; is it running? this client keeps trying',
  'tracker 127.0.0.5:25002 answers',
]

test('what is said of the trackers is shown as it comes; nobody is asked while nobody is logged in', async () => {
  const client = fakeClient()
  expect(await heard(client)).toEqual(answers)
  expect(client.calls).toEqual([])
})

test('an owner whose login is remembered is told who asked meanwhile, when a tracker answers', async () => {
  const client = fakeClient()
  client.answers.whoami = () => 'ann'
  client.answers.listGroups = async () =>
    accept([{ group: 'family', owner: 'ann', members: 1, standing: 'owner' as const }])
  client.answers.listRequests = async () => accept(['ben'])
  expect(await heard(client)).toEqual([
    ...answers,
    'ben asks to join family; to let them in: accept_request family ben',
  ])
})

test('a tracker that goes away meanwhile is no error', async () => {
  const client = fakeClient()
  client.answers.whoami = () => 'ann'
  client.answers.listGroups = () => Promise.reject(new Failure('connection-lost', 'gone'))
  expect(await heard(client)).toEqual(answers)
})
