// The prompt over a client that is not there, for a test to run in a pseudo terminal. Ctrl-G, which the
// prompt ignores, makes somebody ask to join, and rings the bell. A file called "long" takes until then,
// or until `create_group slow`, to be hashed. What is watched comes on with each look, and is complete when Ctrl-G came.

import { runPrompt } from '../../../src/client/prompt/prompt.ts'
import type { HashingView, UploadView } from '../../../src/client/operations.ts'
import { accept } from '../../../src/common/refusal.ts'
import { download, entry, fakeClient } from './fake-operations.ts'

const client = fakeClient()
const { answers, downloads, operations, subscribe } = client
let hashed = (): void => {}
let hashing: HashingView[] = []
let isComplete = false
let looks = 0
process.stdin.on('data', (data) => {
  if (!data.includes(7)) return
  onKnock()
  process.stdout.write('\u0007')
})
// A dumb terminal hands keys over when their line ends.
process.on('SIGUSR2', onKnock)

function onKnock(): void {
  client.emit({ kind: 'join-requested', group: 'g1', user: 'def' })
  hashed()
  isComplete = true
}

answers.uploadFile = async (path, group) => {
  const view = { group, name: path, path, sizeBytes: 4096, bytesDone: 1024, bytesPerSecond: 1024 }
  if (path === 'long') {
    hashing = [view]
    await new Promise<void>((resolve) => (hashed = resolve))
    hashing = []
  }
  return accept({ name: path, group, sizeBytes: 1, pieceCount: 1 })
}
answers.createGroup = async (group) => {
  if (group === 'slow') hashed()
  return accept(undefined)
}
answers.listGroups = async () =>
  accept(process.env['OWNS'] ? [{ group: 'mine', owner: 'ann', members: 2, standing: 'owner' }] : [])
answers.listRequests = async () => accept(['ben', 'carl'])
/** Every listing has something long in it. */
function makeBusy(): void {
  const group = { group: 'the whole family', owner: 'annabella', members: 2, standing: 'owner' } as const
  const file = { name: '写真 from our holidays.tar', sizeBytes: 123_456_789, seeders: 12 }
  const slow = { group: group.group, name: file.name, sizeBytes: file.sizeBytes, bytesPerSecond: 1024 }
  answers.listGroups = async () => accept([group])
  answers.listFiles = async () => accept([file])
  answers.showUploads = async () => [
    { ...slow, user: 'ben', peer: 'ben@10.20.30.40', way: 'direct', sentBytes: 1, pieces: 1, pieceCount: 2 },
  ]
  answers.listLimits = async () => [
    { direction: 'download', bytesPerSecond: 1024, entry: { group: group.group, name: file.name } },
  ]
  answers.why = async () =>
    accept([
      {
        code: 'no-seeder',
        sentence: 'nobody who is online has all of this file at the moment',
        remedy: 'ask somebody who has it to start a client; it goes on by itself then',
      },
    ])
  answers.doctor = async () => [
    {
      check: 'clock',
      state: 'problem',
      sentence: 'this clock is three hours behind that of the tracker',
      remedy: 'set it by the network, with timedatectl set-ntp true for example',
    },
  ]
  downloads.push(
    download({ ...slow, state: 'running', pieceCount: 236 }),
    download({ ...slow, state: 'complete' }),
  )
}

answers.downloadFile = async (group, name, destination) => {
  downloads.push(download({ group, name, state: 'running' }))
  return accept({ destination, waiting: false })
}
answers.showHashing = async () => hashing
answers.inspect = async (group, name) => {
  const seen = { group, name, piecesDone: ++looks, map: [[looks, 0, 40 - looks, 0]] as const }
  return accept(
    isComplete && group !== 'endless' ? entry({ group, name }) : entry({ ...seen, state: 'running' }),
  )
}
answers.showUploads = async () =>
  process.env['UPLOADS'] === undefined ? [] : (JSON.parse(process.env['UPLOADS']) as UploadView[])
answers.downloadsSettled = () => new Promise(() => {})

if (process.env['BUSY']) makeBusy()

const stop = new AbortController()
const { stdin: input, stdout: output } = process
const exitCode = await runPrompt({
  operations,
  subscribe,
  input,
  output,
  isTerminal: true,
  isDumb: process.env['TERM'] === 'dumb',
  onInterrupt(listener) {
    process.on('SIGINT', listener)
    return () => void process.off('SIGINT', listener)
  },
  linger: false,
  historyFile: process.env['HISTORY_FILE'],
  stop: stop.signal,
})
output.write(`passwords: ${client.calls.filter((call) => /^(login|createUser)/.test(call)).join(' ')}\n`)
process.exitCode = exitCode
