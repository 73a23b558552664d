// The prompt over a client that is not there, for a test to run in a pseudo terminal. Ctrl-G, which the
// prompt ignores, makes somebody ask to join, and rings the bell. A file called "long" takes until then,
// or until `create_group slow`, to be hashed.

import { runPrompt } from '../../../src/client/prompt/prompt.ts'
import { accept } from '../../../src/common/refusal.ts'
import { download, fakeClient } from './fake-operations.ts'

const client = fakeClient()
const { answers, downloads, operations, subscribe } = client
let hashed = (): void => {}
process.stdin.on('data', (data) => {
  if (!data.includes(7)) return
  client.emit({ kind: 'join-requested', group: 'g1', user: 'def' })
  hashed()
  process.stdout.write('\u0007')
})

answers.uploadFile = async (path, group) => {
  if (path === 'long') await new Promise<void>((resolve) => (hashed = resolve))
  return accept({ name: path, group, sizeBytes: 1, pieceCount: 1 })
}
answers.createGroup = async (group) => {
  if (group === 'slow') hashed()
  return accept(undefined)
}
answers.downloadFile = async (group, name, destination) => {
  downloads.push(download({ group, name, state: 'running' }))
  return accept({ destination, waiting: false })
}
answers.downloadsSettled = () => new Promise(() => {})

const stop = new AbortController()
const { stdin: input, stdout: output } = process
const exitCode = await runPrompt({
  operations,
  subscribe,
  input,
  output,
  isTerminal: true,
  linger: false,
  historyFile: process.env['HISTORY_FILE'],
  stop: stop.signal,
})
output.write(`passwords: ${client.calls.filter((call) => /^(login|createUser)/.test(call)).join(' ')}\n`)
process.exitCode = exitCode
