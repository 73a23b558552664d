// What another terminal is told when an operation of the client that runs fails.

import { expect, onTestFinished, test } from 'vitest'
import { RemoteClient } from '../../../src/client/control/remote-client.ts'
import { ControlServer } from '../../../src/client/control/server.ts'
import { Failure } from '../../../src/common/failure.ts'
import { refuse } from '../../../src/common/refusal.ts'
import { fakeClient } from '../prompt/fake-operations.ts'
import { temporaryFolder } from '../temporary-folder.ts'

// The first terminal said that it was the disk, and the others that no tracker answers.
test.each([
  [new Failure('connection-lost', 'no tracker answers'), refuse('unavailable', 'no tracker answers')],
  [new Failure('data', 'the record is damaged'), refuse('local-file', 'the record is damaged')],
  [Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }), refuse('local-file', 'the disk is full')],
])('%s is the refusal that the first terminal shows', async (failure, refusal) => {
  const { operations, answers } = fakeClient()
  answers.listGroups = () => Promise.reject(failure)
  const [folder, listen] = [temporaryFolder(), '127.0.0.1:0']
  const onFailure = (error: unknown): never => {
    throw error
  }
  const server = await ControlServer.start({
    folder,
    listen,
    operations,
    subscribe: () => () => {},
    onFailure,
  })
  onTestFinished(() => server.close())
  const remote = await RemoteClient.connect({ folder, listen })
  onTestFinished(() => remote?.close())
  expect(await remote?.operations.listGroups()).toEqual(refusal)
})
