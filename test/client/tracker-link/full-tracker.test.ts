// A tracker that has no place for one more connection, and says so.

import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { refuse } from '../../../src/common/refusal.ts'
import { encodeLine } from '../../../src/common/wire/frames.ts'
import { errorMessage } from '../../../src/common/wire/messages.ts'
import { linkTo } from './linked.ts'

// "no tracker can be reached; is one running?"
test('a tracker that is full is said to be full, with its reason', async () => {
  const { refusal } = refuse('busy', 'too many connections')
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.resume()
    socket.end(encodeLine(errorMessage(null, refusal)))
  })
  server.listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { link } = linkTo([{ host: '127.0.0.1', port }])
  link.start()
  await expect(link.ask('list_groups', {})).rejects.toThrow(
    `the tracker 127.0.0.1:${port} is full: too many connections; trying again`,
  )
})
